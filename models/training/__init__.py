"""The staged recipes that make the weights which ship."""

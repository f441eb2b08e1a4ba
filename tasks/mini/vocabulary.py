"""The closed vocabulary: English words beside their Mandarin.

Mandarin words use characters that the synthesiser reads as meant (the tests compare each with its pinyin), and
no character with a second common reading, such as 行, 长 or 重.
"""

from __future__ import annotations

from typing import NamedTuple


class Noun(NamedTuple):
    english: str
    plural: str
    chinese: str
    measure: str = "个"


class Verb(NamedTuple):
    base: str
    third: str
    past: str
    chinese: str


class Pair(NamedTuple):
    english: str
    chinese: str


PRONOUNS = (Pair("I", "我"), Pair("YOU", "你"), Pair("WE", "我们"), Pair("HE", "他"), Pair("THEY", "他们"))
OWNERS = (Pair("MY", "我的"), Pair("YOUR", "你的"), Pair("OUR", "我们的"), Pair("THEIR", "他们的"))

PEOPLE = (
    Noun("TEACHER", "TEACHERS", "老师"),
    Noun("DOCTOR", "DOCTORS", "医生"),
    Noun("STUDENT", "STUDENTS", "学生"),
    Noun("FRIEND", "FRIENDS", "朋友"),
    Noun("MOTHER", "MOTHERS", "妈妈"),
    Noun("FATHER", "FATHERS", "爸爸"),
    Noun("BROTHER", "BROTHERS", "哥哥"),
    Noun("SISTER", "SISTERS", "姐姐"),
    Noun("FARMER", "FARMERS", "农民"),
    Noun("DRIVER", "DRIVERS", "司机"),
    Noun("SINGER", "SINGERS", "歌手"),
    Noun("KING", "KINGS", "国王"),
    Noun("WORKER", "WORKERS", "工人"),
    Noun("SOLDIER", "SOLDIERS", "士兵"),
    Noun("CHILD", "CHILDREN", "孩子"),
    Noun("GUEST", "GUESTS", "客人"),
    Noun("BOY", "BOYS", "男孩"),
    Noun("GIRL", "GIRLS", "女孩"),
)
ANIMALS = (
    Noun("CAT", "CATS", "猫"),
    Noun("DOG", "DOGS", "狗"),
    Noun("HORSE", "HORSES", "马"),
    Noun("COW", "COWS", "牛"),
    Noun("SHEEP", "SHEEP", "羊"),
    Noun("PIG", "PIGS", "猪"),
    Noun("CHICKEN", "CHICKENS", "鸡"),
    Noun("DUCK", "DUCKS", "鸭"),
    Noun("TIGER", "TIGERS", "老虎"),
    Noun("LION", "LIONS", "狮子"),
    Noun("MONKEY", "MONKEYS", "猴子"),
    Noun("ELEPHANT", "ELEPHANTS", "大象"),
    Noun("RABBIT", "RABBITS", "兔子"),
    Noun("SNAKE", "SNAKES", "蛇"),
    Noun("BEAR", "BEARS", "熊"),
    Noun("BIRD", "BIRDS", "鸟"),
    Noun("FISH", "FISH", "鱼"),
)
GOODS = (
    Noun("BOOK", "BOOKS", "书", "本"),
    Noun("TABLE", "TABLES", "桌子", "张"),
    Noun("PICTURE", "PICTURES", "图片", "张"),
    Noun("BED", "BEDS", "床", "张"),
    Noun("CHAIR", "CHAIRS", "椅子", "把"),
    Noun("KNIFE", "KNIVES", "刀", "把"),
    Noun("KEY", "KEYS", "钥匙", "把"),
    Noun("CUP", "CUPS", "杯子"),
    Noun("BOTTLE", "BOTTLES", "瓶子"),
    Noun("BOX", "BOXES", "箱子"),
    Noun("BAG", "BAGS", "包"),
    Noun("HAT", "HATS", "帽子"),
    Noun("FLAG", "FLAGS", "旗"),
    Noun("BALL", "BALLS", "球"),
    Noun("CLOCK", "CLOCKS", "钟"),
    Noun("LAMP", "LAMPS", "灯"),
    Noun("BOAT", "BOATS", "船"),
    Noun("SHIRT", "SHIRTS", "衬衫"),
    Noun("CAR", "CARS", "汽车"),
)
FOODS = (
    Noun("APPLE", "APPLES", "苹果"),
    Noun("PEAR", "PEARS", "梨"),
    Noun("PEACH", "PEACHES", "桃子"),
    Noun("WATERMELON", "WATERMELONS", "西瓜"),
    Noun("BANANA", "BANANAS", "香蕉"),
    Noun("ORANGE", "ORANGES", "橙子"),
    Noun("EGG", "EGGS", "鸡蛋"),
    Noun("CAKE", "CAKES", "蛋糕"),
    Noun("POTATO", "POTATOES", "土豆"),
)
PLACES = (
    Pair("GARDEN", "花园"),
    Pair("SCHOOL", "学校"),
    Pair("HOSPITAL", "医院"),
    Pair("LIBRARY", "图书馆"),
    Pair("KITCHEN", "厨房"),
    Pair("PARK", "公园"),
    Pair("SHOP", "商店"),
    Pair("STATION", "车站"),
    Pair("FACTORY", "工厂"),
    Pair("OFFICE", "办公室"),
    Pair("FOREST", "森林"),
    Pair("VILLAGE", "村子"),
    Pair("HOTEL", "酒店"),
    Pair("MUSEUM", "博物馆"),
)
CITIES = (
    Pair("BEIJING", "北京"),
    Pair("SHANGHAI", "上海"),
    Pair("LONDON", "伦敦"),
    Pair("SYDNEY", "悉尼"),
    Pair("CAIRO", "开罗"),
    Pair("MOSCOW", "莫斯科"),
    Pair("VIENNA", "维也纳"),
    Pair("TOKYO", "东京"),
)
COLOURS = (
    Pair("RED", "红色"),
    Pair("BLUE", "蓝色"),
    Pair("GREEN", "绿色"),
    Pair("YELLOW", "黄色"),
    Pair("WHITE", "白色"),
    Pair("BLACK", "黑色"),
    Pair("PURPLE", "紫色"),
    Pair("GREY", "灰色"),
)
QUALITIES = (Pair("BIG", "大"), Pair("SMALL", "小"), Pair("OLD", "旧"), Pair("NEW", "新"))
COMPARISONS = (
    Pair("BIGGER", "大"),
    Pair("SMALLER", "小"),
    Pair("FASTER", "快"),
    Pair("SLOWER", "慢"),
    Pair("TALLER", "高"),
    Pair("SHORTER", "矮"),
    Pair("FATTER", "胖"),
    Pair("STRONGER", "强"),
)
ACTIONS = (
    Verb("BUY", "BUYS", "BOUGHT", "买"),
    Verb("SELL", "SELLS", "SOLD", "卖"),
    Verb("TAKE", "TAKES", "TOOK", "拿"),
    Verb("SEE", "SEES", "SAW", "看见"),
    Verb("WASH", "WASHES", "WASHED", "洗"),
    Verb("BREAK", "BREAKS", "BROKE", "打破"),
    Verb("FIND", "FINDS", "FOUND", "找到"),
    Verb("LOSE", "LOSES", "LOST", "丢"),
    Verb("DRAW", "DRAWS", "DREW", "画"),
    Verb("SEND", "SENDS", "SENT", "送"),
)
MEALS = (
    Verb("EAT", "EATS", "ATE", "吃"),
    Verb("BUY", "BUYS", "BOUGHT", "买"),
    Verb("CUT", "CUTS", "CUT", "切"),
    Verb("COOK", "COOKS", "COOKED", "煮"),
    Verb("BRING", "BRINGS", "BROUGHT", "带来"),
)
MOVES = (
    Verb("RUN", "RUNS", "RAN", "跑"),
    Verb("JUMP", "JUMPS", "JUMPED", "跳"),
    Verb("SLEEP", "SLEEPS", "SLEPT", "睡"),
    Verb("STAND", "STANDS", "STOOD", "站"),
    Verb("SIT", "SITS", "SAT", "坐"),
    Verb("WAIT", "WAITS", "WAITED", "等"),
    Verb("PLAY", "PLAYS", "PLAYED", "玩"),
    Verb("WORK", "WORKS", "WORKED", "工作"),
)
HOBBIES = (
    Pair("SING", "唱歌"),
    Pair("DANCE", "跳舞"),
    Pair("SWIM", "游泳"),
    Pair("READ", "读书"),
    Pair("COOK", "做饭"),
    Pair("DRINK TEA", "喝茶"),
    Pair("DRINK COFFEE", "喝咖啡"),
    Pair("WRITE LETTERS", "写信"),
    Pair("RIDE HORSES", "骑马"),
    Pair("PLAY FOOTBALL", "踢足球"),
    Pair("CLIMB MOUNTAINS", "爬山"),
    Pair("WATCH MOVIES", "看电影"),
)
TIMES = (
    Pair("IN THE MORNING", "早上"),
    Pair("IN THE EVENING", "晚上"),
    Pair("AT NOON", "中午"),
    Pair("IN WINTER", "冬天"),
    Pair("IN SUMMER", "夏天"),
    Pair("IN SPRING", "春天"),
    Pair("IN AUTUMN", "秋天"),
)
WEATHER = (Pair("HOT", "热"), Pair("COLD", "冷"), Pair("WARM", "温暖"), Pair("COOL", "凉快"))
ONES = ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN", "ELEVEN", "TWELVE", "THIRTEEN",
        "FOURTEEN", "FIFTEEN", "SIXTEEN", "SEVENTEEN", "EIGHTEEN", "NINETEEN")  # fmt: skip
TENS = ("TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY", "SEVENTY", "EIGHTY", "NINETY")
DIGITS = "零一二三四五六七八九"


def english_number(value: int) -> str:
    """A number from 1 to 99 in words: 42 -> FORTY TWO."""
    if not 1 <= value <= 99:
        raise ValueError(f"the mini world counts from 1 to 99, not {value}")
    if value < 20:
        return ONES[value - 1]
    tens, ones = divmod(value, 10)
    return f"{TENS[tens - 2]} {ONES[ones - 1]}" if ones else TENS[tens - 2]


def chinese_number(value: int) -> str:
    """A number from 1 to 99 in characters: 42 -> 四十二."""
    if not 1 <= value <= 99:
        raise ValueError(f"the mini world counts from 1 to 99, not {value}")
    tens, ones = divmod(value, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{DIGITS[tens]}十"
    return head + (DIGITS[ones] if ones else "")

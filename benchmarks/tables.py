"""Tables of kinds that are traded, made by fixed seeds or from what scikit-learn brings: nobody real is in them."""

from __future__ import annotations

import csv
import math
import string
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from stdnum import iban
from stdnum.iso7064 import mod_11_2

from ledger.cli.demo.story import EXAMPLES

Table = tuple[list[str], list[list[str]]]
_FIRST = [
    "Anna",
    "Berta",
    "Clara",
    "Dora",
    "Emil",
    "Franz",
    "Greta",
    "Hans",
    "Ida",
    "Jonas",
    "Karl",
    "Lena",
    "Max",
    "Nora",
    "Otto",
    "Paul",
    "Rosa",
    "Sven",
    "Tina",
    "Ulf",
]
_LAST = [
    "Adler",
    "Braun",
    "Conrad",
    "Diehl",
    "Engel",
    "Fuchs",
    "Graf",
    "Haas",
    "Jung",
    "Keller",
    "Lang",
    "Maier",
    "Noll",
    "Peters",
    "Roth",
    "Sommer",
    "Vogt",
    "Wolf",
]
_STREETS = [
    "Oak",
    "Elm",
    "Maple",
    "Cedar",
    "Pine",
    "Birch",
    "Willow",
    "Walnut",
    "Cherry",
    "Linden",
    "Station",
    "Church",
    "Market",
    "Mill",
    "Bridge",
]
_CITIES = [("Berlin", "10", "DE"), ("Hamburg", "20", "DE"), ("Munich", "80", "DE"), ("Vienna", "11", "AT"),
           ("Graz", "80", "AT"), ("Zurich", "80", "CH"), ("Basel", "40", "CH"), ("Cologne", "50", "DE")]  # fmt: skip
_MAIL = ["example.com", "mail.example", "post.example", "example.org", "inbox.example"]
_WORDS = [
    "the", "a", "this", "very", "rather", "good", "bad", "poor", "fine", "strong", "weak", "battery", "screen", "price",
    "quality", "sound", "box", "arrived", "works", "broke", "after", "two", "days", "weeks", "would", "buy", "again",
    "never", "for", "my", "son", "wife", "and", "but", "it", "is", "was", "not", "as", "described",
]  # fmt: skip
_SURNAMES, _GIVEN = "王李张刘陈杨赵黄周吴", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚"
_REGIONS = ["110105", "440305", "310115", "510104", "330106", "420106"]


def made(home: Path) -> list[Path]:
    """Write all of them below a folder as CSV, and return the files, the demo's two tables among them."""
    kinds: dict[str, Callable[[Random], Table]] = {
        "people": people, "ledger": ledger, "reviews": reviews, "residents": residents, "invoices": invoices,
        "prices": prices, "weekly": weekly, "cars": cars, "districts": districts,
    }  # fmt: skip
    files = [_write(home / f"{name}.csv", *make(Random(name))) for name, make in kinds.items()]
    return [*files, *_from_scikit_learn(home), EXAMPLES / "planes.csv", EXAMPLES / "airports.csv"]


def people(random: Random) -> Table:
    """3,000 customers, numbered without gaps: name, e-mail, IBAN, address."""
    rows = []
    for number in range(3000):
        first, last, (city, start, country) = random.choice(_FIRST), random.choice(_LAST), random.choice(_CITIES)
        mail = f"{first}.{last}{random.randrange(1, 999)}@{random.choice(_MAIL)}".lower()
        account = f"DE00{random.choice(['37040044', '10070024', '50010517'])}{random.randrange(10**10):010}"
        account = f"{account[:2]}{iban.calc_check_digits(account)}{account[4:]}"
        born = date(1940, 1, 1) + timedelta(random.randrange(24_000))
        rows.append([str(number + 1), f"{first} {last}", mail, account,
                     f"{random.randrange(1, 200)} {random.choice(_STREETS)} Street",
                     f"{start}{random.randrange(40):03}", city, country, str(born)])  # fmt: skip
    return ["customer_no", "name", "email", "iban", "street", "postcode", "city", "country", "born"], rows


def ledger(random: Random) -> Table:
    """5,000 bookings whose numbers have gaps: quantity times price is the total, and paid is never before ordered."""
    rows, number, day = [], 40_000, date(2024, 1, 1)
    for _ in range(5000):
        number += random.choice([1, 1, 2, 3])
        day += timedelta(random.random() < 0.1)
        quantity, price = random.randrange(1, 20), round(random.lognormvariate(3, 1), 2)
        paid = day + timedelta(random.randrange(40))
        rows.append([str(number), str(day), str(paid), str(quantity), f"{price:.2f}", f"{quantity * price:.2f}",
                     random.choice("ABCDEF"), f"C{random.randrange(400):04}"])  # fmt: skip
    return ["booking", "ordered", "paid", "quantity", "price", "total", "branch", "customer"], rows


def reviews(random: Random) -> Table:
    """3,000 reviews in words, of 400 products."""
    rows = [[f"P{random.randrange(400):05}", str(random.randrange(1, 6)),
             str(date(2021, 1, 1) + timedelta(random.randrange(900))),
             " ".join(random.choices(_WORDS, k=random.randrange(6, 40)))] for _ in range(3000)]  # fmt: skip
    return ["product", "stars", "day", "text"], rows


def residents(random: Random) -> Table:
    """2,500 residents, numbered KH000001 and on, with identity numbers that have a check digit."""
    rows = []
    for number in range(2500):
        born, sex = date(1950, 1, 1) + timedelta(random.randrange(20_000)), random.choice("男女")
        region = random.choice(_REGIONS)
        order = f"{random.randrange(100):02}{random.randrange(5) * 2 + (sex == '男')}"
        body = f"{region}{born:%Y%m%d}{order}"
        name = random.choice(_SURNAMES) + "".join(random.choices(_GIVEN, k=random.randrange(1, 3)))
        phone = random.choice(["138", "139", "150", "186"]) + f"{random.randrange(10**8):08}"
        rows.append([f"KH{number + 1:06}", name, body + mod_11_2.calc_check_digit(body), sex, phone, region])
    return ["id", "name", "identity", "sex", "phone", "region"], rows


def invoices(random: Random) -> Table:
    """2,000 invoices INV-000123 with gaps, VAT of 19 % in cents, and EAN codes."""
    rows, number = [], 0
    products = [_ean(random) for _ in range(120)]
    for _ in range(2000):
        number += random.choice([1, 1, 1, 2, 4])
        net = random.randrange(500, 90_000)
        vat = round(net * 0.19)
        rows.append([f"INV-{number:06}", random.choice(products), f"{net / 100:.2f}", f"{vat / 100:.2f}",
                     f"{(net + vat) / 100:.2f}", random.choice(["paid", "open", "late"])])  # fmt: skip
    return ["invoice", "ean", "net", "vat", "gross", "state"], rows


def prices(random: Random) -> Table:
    """Five shares by month: each has a price in nearly every month of its own span."""
    rows = []
    for share, first in (("AAA", 0), ("BBB", 0), ("CCC", 56), ("DDD", 12), ("EEE", 3)):
        price = random.uniform(20, 90)
        for month in range(first, 123):
            price *= math.exp(random.gauss(0.005, 0.06))
            rows.append([share, f"{2000 + month // 12}-{month % 12 + 1:02}-01", f"{price:.2f}"])
    return ["share", "month", "price"], rows


def weekly(random: Random) -> Table:
    """2,000 values of a weekly series, a few of them missing."""
    rows, level, first = [], 315.0, date(1960, 1, 2)
    for week in range(2000):
        level += 0.03 + random.gauss(0, 0.2)
        value = f"{level + 3 * math.sin(week / 8.3):.1f}" if random.random() > 0.02 else ""
        rows.append([str(first + timedelta(7 * week)), value])
    return ["week", "co2"], rows


def cars(random: Random) -> Table:
    """400 models of cars: numbers that hang together, years written 1974.0."""
    rows = []
    for _ in range(400):
        cylinders = random.choice([4, 4, 4, 6, 8])
        size = round(cylinders * random.gauss(32, 5))
        power = round(size * random.gauss(0.5, 0.06) + 30)
        weight = round(1500 + size * random.gauss(7, 0.6))
        name = f"{random.choice(_LAST)} {random.choice(string.ascii_lowercase)}{random.randrange(100, 999)}"
        rows.append([name, f"{45 - weight / 130 + random.gauss(0, 2):.1f}", *map(str, (cylinders, size, power, weight)),
                     f"{random.randrange(1970, 1983)}.0", random.choice(["USA", "Europe", "Japan"])])  # fmt: skip
    return ["name", "mpg", "cylinders", "displacement", "horsepower", "weight", "year", "origin"], rows


def districts(random: Random) -> Table:
    """Thirty districts with eight figures each."""
    names = random.sample([f"{first}{last.lower()}" for first in _LAST for last in ("dorf", "burg", "feld")], 30)
    rows = []
    for name in names:
        parts, counts = [random.gauss(40, 12) for _ in range(4)], [random.randrange(100, 9000) for _ in range(3)]
        rows.append([name, *(f"{part:.1f}" for part in parts), *map(str, counts)])
    return ["district", "yes", "turnout", "unemployed", "female", "births", "deaths", "area"], rows


def _from_scikit_learn(home: Path) -> Iterable[Path]:
    try:
        from sklearn.datasets import load_breast_cancer, load_digits  # noqa: PLC0415 - an extra of the benchmarks
    except ImportError:
        print("scikit-learn is not installed: no table of 31 decimals, and none of 65 small integers")
        return
    for name, load, form in (("cancer", load_breast_cancer, "g"), ("digits", load_digits, ".0f")):
        data = load()
        rows = [
            [*(format(value, form) for value in row), str(kind)]
            for row, kind in zip(data.data, data.target, strict=True)
        ]
        yield _write(home / f"{name}.csv", [f"x{number}" for number in range(len(rows[0]) - 1)] + ["kind"], rows)


def _ean(random: Random) -> str:
    digits = f"40{random.randrange(10**10):010}"
    return digits + str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10)


def _write(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows])
    return path

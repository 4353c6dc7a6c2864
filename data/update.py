#!/usr/bin/env python3
"""Regenerates the files in this directory, and the table that the readers of numbers are tested against.

    update.py metadata <rlibphonenumber>/src/generated/metadata/metadata.bin
    update.py prices <notifications-utils>/notifications_utils/international_billing_rates.yml <commit> <date>
    update.py carriers <date>   # needs PyPI `phonenumbers`, in the metadata version that README.md names
    update.py numbers           # needs PyPI `phonenumbers`, in the metadata version that README.md names

Needs nothing but the standard library, except where it says so. The output depends on the arguments only.
"""

import csv
import io
import random
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "tests" / "testdata" / "numbers.csv"

USD_MICROS_PER_UNIT = 28_000
# What the multiplier gets wrong by far: Twilio's list price for the US and Canada, carrier fee included.
OVERRIDES = {"1": 8_300}
# Networks without a country are not in GOV.UK's file. Estimates of ours, from what operators of satellite and
# "international" numbers publish: high enough to matter, since nobody signs up with one.
NETWORKS = {
    "808": 300_000,
    "870": 2_000_000,
    "878": 500_000,
    "881": 2_000_000,
    "882": 1_500_000,
    "883": 1_500_000,
    "888": 500_000,
    "979": 1_500_000,
}
PRICES_HEAD = """\
# What one text costs, in millionths of a US dollar, by the digits that the number starts with: the longest prefix
# wins. A guess that ranks destinations, to be overridden by the operator's own price list. A prefix that is not
# here costs about 168000 (six units).
#
# Derived from notifications_utils/international_billing_rates.yml of https://github.com/alphagov/notifications-utils,
# commit {commit} (the file's last change: {date}),
# MIT licence, Copyright (c) 2016 Crown Copyright (Government Digital Service): rate_multiplier x $0.028.
# Ours: +1 (Twilio's list price of $0.0083), and the networks without a country at the end.
"""
CARRIERS_HEAD = """\
# Who was assigned the numbers that start with these digits: the longest prefix wins. Where numbers can be taken along
# to another operator this is the first one, not the present one.
#
# From carrierdata of PyPI phonenumbers {version}, English names; made {date}.
# Apache-2.0, Copyright (c) The Libphonenumber Authors.
"""


def update_metadata(source):
    shutil.copyfile(source, HERE / "phone_metadata.bin")


def update_prices(source, commit, date):
    multipliers, prefix = {}, None
    for line in Path(source).read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"'?(\d+)'?:", line):
            prefix = match[1]
        elif match := re.fullmatch(r"  rate_multiplier: (\d+)", line):
            multipliers[prefix] = int(match[1])
    if len(multipliers) < 200:
        sys.exit(f"{source}: only {len(multipliers)} rates found")
    prices = {prefix: units * USD_MICROS_PER_UNIT for prefix, units in multipliers.items()} | OVERRIDES
    rows = [f"{prefix},{prices[prefix]}" for prefix in sorted(prices)]
    rows += [f"{prefix},{price}" for prefix, price in NETWORKS.items()]
    head = PRICES_HEAD.format(commit=commit, date=date)
    (HERE / "prices.csv").write_text(head + "prefix,usd_micros\n" + "\n".join(rows) + "\n", encoding="utf-8")


def update_carriers(date):
    import phonenumbers as pn
    from phonenumbers.carrierdata import CARRIER_DATA

    names = {prefix: texts["en"].replace(",", "") for prefix, texts in CARRIER_DATA.items() if texts.get("en")}
    rows = [f"{prefix},{names[prefix]}" for prefix in sorted(names)]
    head = CARRIERS_HEAD.format(version=pn.__version__, date=date)
    (HERE / "carriers.csv").write_text(head + "prefix,carrier\n" + "\n".join(rows) + "\n", encoding="utf-8")


def update_numbers():
    import phonenumbers as pn

    kinds = {
        pn.PhoneNumberType.FIXED_LINE: "fixed_line",
        pn.PhoneNumberType.MOBILE: "mobile",
        pn.PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
        pn.PhoneNumberType.TOLL_FREE: "toll_free",
        pn.PhoneNumberType.PREMIUM_RATE: "premium_rate",
        pn.PhoneNumberType.SHARED_COST: "shared_cost",
        pn.PhoneNumberType.VOIP: "voip",
        pn.PhoneNumberType.PERSONAL_NUMBER: "personal",
        pn.PhoneNumberType.PAGER: "pager",
        pn.PhoneNumberType.UAN: "uan",
        pn.PhoneNumberType.VOICEMAIL: "voicemail",
    }
    rng = random.Random(20260722)

    def e164(number):
        return pn.format_number(number, pn.PhoneNumberFormat.E164)

    def country(region, number):
        return f"+{number.country_code}" if region == "001" else region

    def row(text, region):
        try:
            number = pn.parse(text, region or None)
        except pn.NumberParseException:
            return text, region, "", "", "unreadable", 0
        if pn.is_valid_number(number):
            where = country(pn.region_code_for_number(number), number)
            return text, region, e164(number), where, kinds[pn.number_type(number)], 1
        where = country(pn.region_code_for_country_code(number.country_code), number)
        possible = pn.is_possible_number_with_reason(number) == pn.ValidationResult.IS_POSSIBLE
        return text, region, e164(number), where, "unassigned" if possible else "not_possible", 0

    def tail(text, keep):
        return text[:keep] + "".join(rng.choice("0123456789") for _ in text[keep:])

    examples = []
    for region in sorted(pn.SUPPORTED_REGIONS):
        for kind in kinds:
            if number := pn.example_number_for_type(region, kind):
                examples.append((region, number))
    for code in sorted(pn.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        if number := pn.example_number_for_non_geo_entity(code):
            examples.append(("", number))

    inputs = []
    for region, number in examples:
        text = e164(number)
        start = 1 + len(str(number.country_code))
        inputs.append((text, ""))
        inputs.append((tail(text, rng.randrange(start, len(text))), ""))
        if rng.random() < 0.6:
            inputs.append((tail(text, min(start + 2, len(text))), ""))
        inputs.append((rng.choice([text[:-1], text + rng.choice("0123456789"), tail(text, start)]), ""))
        national = pn.format_number(number, pn.PhoneNumberFormat.NATIONAL)
        if region and re.fullmatch(r"[0-9 .()-]+", national):
            inputs.append((national, region))
    for code in sorted(pn.COUNTRY_CODE_TO_REGION_CODE):
        for length in (9, 12, 15):
            inputs.append((tail("+" + str(code).ljust(length, "0"), 1 + len(str(code))), ""))

    out = io.StringIO()
    out.write(f"# PyPI phonenumbers {pn.__version__}; made by data/update.py\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["input", "region", "e164", "country", "type", "valid"])
    # The grammar in front of the readers takes 8 to 15 digits behind a plus, and 4 to 15 without one.
    for text, region in dict.fromkeys(inputs):
        digits = re.sub(r"[ .()-]", "", text)
        if re.fullmatch(r"[0-9]{4,15}" if region else r"\+[0-9]{8,15}", digits):
            writer.writerow(row(text, region))
    TABLE.write_text(out.getvalue(), encoding="utf-8")


COMMANDS = {
    "metadata": (update_metadata, 1),
    "prices": (update_prices, 3),
    "carriers": (update_carriers, 1),
    "numbers": (update_numbers, 0),
}

if __name__ == "__main__":
    command, arguments = COMMANDS.get(sys.argv[1] if 1 < len(sys.argv) else "", (None, 0)), sys.argv[2:]
    if command[0] is None or len(arguments) != command[1]:
        sys.exit(__doc__)
    command[0](*arguments)

//! Numbers: which spellings are read, and how both readers compare with Google's own library.

use std::fmt;
use std::sync::LazyLock;

use proptest::prelude::{any, prop_assert, proptest};
use tollgate::attempt::country::Country;
use tollgate::attempt::phone::{Kind, Number, Reader, ReaderKind, Region, Scale, Unreadable};

// === the table ===

#[test]
fn the_google_reader_reads_numbers_as_googles_library_does() {
    let comparison = Comparison::of(&GOOGLE);
    eprintln!("google: {comparison}");
    assert_eq!(comparison.other_numbers, Vec::<&str>::new());
    // Refused by the grammar: a space or dash between parentheses, and national numbers too short for E.164's eight.
    assert_eq!(comparison.refused.len(), 12);
    assert_eq!(comparison.n_differences(), 12);
}

#[test]
fn the_phonenumber_reader_may_refuse_a_number_but_reads_no_other_one() {
    let comparison = Comparison::of(&PHONENUMBER);
    eprintln!("phonenumber: {comparison}");
    assert_eq!(comparison.other_numbers, Vec::<&str>::new());
}

proptest! {
    #[test]
    fn no_text_makes_a_library_panic(text in "\\PC{0,70}|[+ 0-9().-]{0,24}", region in any::<usize>()) {
        let region = ["US", "GB", "AR", "BR", "IT", "JP"].get(region % 8).map(|region| region.parse().unwrap());
        for reader in [&*GOOGLE, &*PHONENUMBER] {
            for reading in [reader.read(&text, region), reader.read_form(&text, region)] {
                prop_assert!(reading != Err(Unreadable::Fault));
            }
        }
    }
}

// === the grammar ===

#[test]
fn separators_and_parentheses_make_no_difference() {
    for text in [
        "+15550100123",
        "  +15550100123 ",
        "+1 (555) 010-0123",
        "+1.555.010.0123",
        "+1 5 5 5 - 0 1 0 0 1 2 3",
        "+ 1 555 010 0123",
    ] {
        assert_eq!(digits(text), Ok(15_550_100_123), "{text}");
    }
}

#[test]
fn an_empty_text_is_refused() {
    assert_eq!(refusal(""), Unreadable::Empty);
    assert_eq!(refusal("   "), Unreadable::Empty);
}

#[test]
fn more_than_64_bytes_are_refused() {
    assert_eq!(refusal(&format!("+15550100123{}", " ".repeat(60))), Unreadable::TooLong);
    assert_eq!(refusal(&"1".repeat(65)), Unreadable::TooLong);
}

#[test]
fn a_full_width_digit_is_refused() {
    assert_eq!(refusal("+1555010012\u{ff13}"), Unreadable::BadCharacter);
}

#[test]
fn digits_of_other_scripts_are_refused() {
    for text in ["+1555010012٣", "+1555010012۳", "+1555010012३", "+1555010012𝟑", "+1555010012③", "+1555010012³"]
    {
        assert_eq!(refusal(text), Unreadable::BadCharacter, "{text}");
    }
}

#[test]
fn invisible_and_foreign_separators_are_refused() {
    for separator in ['\u{a0}', '\u{200b}', '\u{200d}', '\u{200f}', '\u{feff}', '\u{ad}', '\u{2011}', '\u{3000}', '/'] {
        assert_eq!(refusal(&format!("+1{separator}5550100123")), Unreadable::BadCharacter, "{separator:?}");
        assert_eq!(refusal(&format!("{separator}+15550100123")), Unreadable::BadCharacter, "{separator:?}");
    }
}

#[test]
fn control_characters_are_refused_wherever_they_stand() {
    for control in ['\0', '\t', '\r', '\n', '\u{1b}', '\u{7f}'] {
        for text in
            [format!("{control}+15550100123"), format!("+15550100123{control}"), format!("+1555{control}0100123")]
        {
            assert_eq!(refusal(&text), Unreadable::BadCharacter, "{text:?}");
        }
    }
}

#[test]
fn letters_and_schemes_are_refused() {
    for text in ["tel:+15550100123", "TEL:+15550100123", "sms:+15550100123", "+1555CALLNOW", "call +15550100123"] {
        assert_eq!(refusal(text), Unreadable::BadCharacter, "{text}");
    }
}

#[test]
fn an_extension_is_refused() {
    for text in ["+15550100123 x9", "+15550100123 ext. 9", "+15550100123#9", "+15550100123;ext=9", "+15550100123,9"] {
        assert_eq!(refusal(text), Unreadable::Extension, "{text}");
    }
}

#[test]
fn a_second_plus_or_a_foreign_one_is_refused() {
    for text in [
        "++15550100123",
        "+15550100123+",
        "+1555+0100123",
        "\u{ff0b}15550100123",
        "\u{fe62}15550100123",
        "%2B15550100123",
    ] {
        assert_eq!(refusal(text), Unreadable::BadCharacter, "{text}");
    }
}

#[test]
fn two_numbers_are_refused() {
    assert_eq!(refusal("+15550100123 +15550100124"), Unreadable::BadCharacter);
    assert_eq!(refusal("+15550100123 15550100124"), Unreadable::NotPossible);
}

#[test]
fn a_trunk_zero_in_parentheses_is_refused() {
    assert_eq!(refusal("+44 (0) 20 7946 0123"), Unreadable::TrunkZero);
    assert_eq!(refusal("+44(0)2079460123"), Unreadable::TrunkZero);
}

#[test]
fn a_trunk_zero_without_parentheses_is_refused_as_ambiguous() {
    assert_eq!(refusal("+4402079460123"), Unreadable::Ambiguous);
}

#[test]
fn parentheses_have_to_balance_and_to_hold_digits() {
    for text in ["+1 (555 010 0123", "+1 555) 010 0123", "+1 ((555)) 010 0123", "+1 () 555 010 0123", "(+1) 5550100123"]
    {
        assert_eq!(refusal(text), Unreadable::BadCharacter, "{text}");
    }
}

#[test]
fn a_zero_behind_the_plus_is_refused() {
    assert_eq!(refusal("+015550100123"), Unreadable::UnknownCallingCode);
    assert_eq!(refusal("+0015550100123"), Unreadable::UnknownCallingCode);
}

#[test]
fn a_calling_code_that_nobody_has_is_refused() {
    assert_eq!(refusal("+9995550100123"), Unreadable::UnknownCallingCode);
    assert_eq!(refusal("+2105550100123"), Unreadable::UnknownCallingCode);
}

#[test]
fn a_number_of_an_impossible_length_is_refused() {
    for text in ["+1555010", "+155501001", "+155501001234", "+1234567890123456"] {
        assert_eq!(refusal(text), Unreadable::NotPossible, "{text}");
    }
}

#[test]
fn a_number_without_a_plus_is_refused_where_no_region_is_set() {
    for text in ["15550100123", "2079460123", "0015550100123"] {
        let expected = if text.starts_with("00") { Unreadable::DiallingPrefix } else { Unreadable::NotInternational };
        assert_eq!(refusal(text), expected, "{text}");
    }
}

// === national spellings ===

#[test]
fn a_city_code_of_011_is_no_dialling_prefix() {
    assert_eq!(national("011 15-2345-6789", "AR"), Ok(5_491_123_456_789));
}

#[test]
fn a_national_number_is_read_in_its_region() {
    assert_eq!(national("020 7946 0123", "GB"), Ok(442_079_460_123));
    assert_eq!(national("(201) 555-0123", "US"), Ok(12_015_550_123));
    assert_eq!(national("06 98 12 34", "NO"), Err(Unreadable::NotValid));
}

#[test]
fn an_international_number_is_read_the_same_in_every_region() {
    assert_eq!(national("+44 20 7946 0123", "US"), Ok(442_079_460_123));
}

#[test]
fn a_dialling_prefix_in_place_of_the_plus_is_refused() {
    assert_eq!(national("00442079460123", "DE"), Err(Unreadable::DiallingPrefix));
    assert_eq!(national("011442079460123", "US"), Err(Unreadable::DiallingPrefix));
    assert_eq!(national("810442079460123", "RU"), Err(Unreadable::DiallingPrefix));
}

#[test]
fn a_national_number_in_no_assigned_range_is_refused() {
    assert_eq!(national("555 010 0123", "US"), Err(Unreadable::NotValid));
    assert_eq!(national("123", "US"), Err(Unreadable::NotPossible));
}

// === a plus that a form decoded to a space ===

#[test]
fn a_single_leading_space_in_a_form_stands_for_a_plus() {
    assert_eq!(form(" 442079460123", None), Ok(442_079_460_123));
    assert_eq!(form("+442079460123", None), Ok(442_079_460_123));
    assert_eq!(form(" +442079460123", None), Ok(442_079_460_123));
}

#[test]
fn two_leading_spaces_in_a_form_are_no_plus() {
    assert_eq!(form("  442079460123", None), Err(Unreadable::NotInternational));
    assert_eq!(form("442079460123", None), Err(Unreadable::NotInternational));
    assert_eq!(form("  2015550123", Some("US")), Err(Unreadable::Ambiguous), "be it that they were one");
}

#[test]
fn a_space_that_may_be_a_plus_or_nothing_is_refused() {
    // +41 44 668 18 00 in Zürich has a digit too many for the United States: only one reading is a number.
    assert_eq!(form(" 41446681800", Some("US")), Ok(41_446_681_800));
    // +20 15 550 123 is possible in Egypt, and (201) 555-0123 is an example number in New Jersey.
    assert_eq!(form(" 2015550123", Some("US")), Err(Unreadable::Ambiguous));
}

#[test]
fn a_national_number_in_a_form_may_have_a_space_before_it() {
    assert_eq!(form(" 02079460123", Some("GB")), Ok(442_079_460_123));
}

// === values ===

#[test]
fn an_unassigned_number_belongs_to_the_main_country_and_to_all_that_share_the_code() {
    let number = GOOGLE.read("+15550100123", None).unwrap();
    assert_eq!((number.kind(), number.country()), (Kind::Unassigned, country("US")));
    let shared = GOOGLE.regions_of(number.calling_code());
    assert_eq!(shared.first(), Some(&country("US")));
    assert!(["CA", "JM", "DO"].iter().all(|iso| shared.contains(&country(iso))));
    assert_eq!(GOOGLE.regions_of(999), []);
}

#[test]
fn a_network_without_a_country_is_its_own_destination() {
    let number = GOOGLE.read("+80012345678", None).unwrap();
    assert_eq!((number.country(), number.kind()), (country("+800"), Kind::TollFree));
}

#[test]
fn a_number_is_never_shown_whole() {
    let number = read("+12015550123").unwrap();
    assert_eq!(format!("{number:?}"), "+1…(10)");
    assert_eq!(format!("{:?}", number.e164()), "+…");
    assert_eq!(&*number.masked(), "+1********23");
    assert_eq!(&*number.prefix(), "+1201");
}

#[test]
fn at_least_four_digits_of_a_short_number_stay_hidden() {
    let number = read("+29022158").unwrap();
    assert_eq!(&*number.masked(), "+290****8");
    assert_eq!(&*number.prefix(), "+290");
}

#[test]
fn a_block_holds_adjacent_numbers_and_no_others() {
    let (number, neighbour) = (read("+12015550123").unwrap(), read("+12015551000").unwrap());
    assert_eq!(number.block(Scale::Thousand).to_string(), "1,000 numbers of +1201555xxxx");
    assert_eq!(number.suffix(Scale::Thousand), 123);
    assert_ne!(number.block(Scale::Thousand), neighbour.block(Scale::Thousand));
    assert_eq!(number.block(Scale::TenThousand), neighbour.block(Scale::TenThousand));
    assert_eq!(neighbour.suffix(Scale::TenThousand), 1000);
    assert_eq!(number.block(Scale::HundredThousand).to_string(), "+120155xxxxx");
}

#[test]
fn metadata_that_is_none_makes_no_reader() {
    assert!(Reader::new(ReaderKind::Google, b"no metadata").is_err());
}

#[test]
fn names_in_a_configuration_are_checked() {
    assert_eq!("premium_rate".parse(), Ok(Kind::PremiumRate));
    assert!("Premium".parse::<Kind>().is_err());
    assert!("us".parse::<Region>().is_ok());
    assert!("+882".parse::<Region>().is_err());
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
}

// === helpers ===

static GOOGLE: LazyLock<Reader> = LazyLock::new(|| Reader::builtin(ReaderKind::Google).unwrap());
static PHONENUMBER: LazyLock<Reader> = LazyLock::new(|| Reader::builtin(ReaderKind::Phonenumber).unwrap());

fn read(text: &str) -> Result<Number, Unreadable> {
    GOOGLE.read(text, None)
}

fn digits(text: &str) -> Result<u64, Unreadable> {
    read(text).map(|number| number.digits())
}

fn refusal(text: &str) -> Unreadable {
    read(text).unwrap_err()
}

fn national(text: &str, region: &str) -> Result<u64, Unreadable> {
    GOOGLE.read(text, Some(region.parse().unwrap())).map(|number| number.digits())
}

fn form(text: &str, region: Option<&str>) -> Result<u64, Unreadable> {
    let region: Option<Region> = region.map(|region| region.parse().unwrap());
    GOOGLE.read_form(text, region).map(|number| number.digits())
}

fn country(text: &str) -> Country {
    text.parse().unwrap()
}

/// A line of the table: how Google's library reads a text.
struct Row {
    input: &'static str,
    region: Option<Region>,
    e164: &'static str,
    country: &'static str,
    kind: &'static str,
    valid: bool,
}

/// What a reader and the table do not agree about.
#[derive(Default)]
struct Comparison {
    n_rows: usize,
    n_valid: usize,
    /// Read as another number: the one difference that lets a message through to nobody knows whom.
    other_numbers: Vec<&'static str>,
    refused: Vec<&'static str>,
    accepted: Vec<&'static str>,
    other_kinds: Vec<&'static str>,
    other_countries: Vec<&'static str>,
}

impl Row {
    fn parse(line: &'static str) -> Self {
        let columns: Vec<&str> = line.split(',').collect();
        let [input, region, e164, country, kind, valid] = columns[..] else {
            panic!("not a row: {line}");
        };
        let region = (!region.is_empty()).then(|| region.parse().unwrap());
        Self { input, region, e164, country, kind, valid: valid == "1" }
    }

    /// Whether a reader should read it: valid, or international and possible; and in no other digits than its own.
    fn is_readable(&self) -> bool {
        match self.region {
            Some(_) => self.valid,
            None => self.input == self.e164 && (self.valid || self.kind == "unassigned"),
        }
    }
}

impl Comparison {
    fn of(reader: &Reader) -> Self {
        let mut comparison = Self::default();
        for line in TABLE.lines().skip(2) {
            let row = Row::parse(line);
            comparison.add(&row, reader.read(row.input, row.region));
        }
        comparison
    }

    fn add(&mut self, row: &Row, reading: Result<Number, Unreadable>) {
        self.n_rows += 1;
        self.n_valid += usize::from(row.valid);
        match reading {
            Ok(number) if number.e164().as_ref() != row.e164 => self.other_numbers.push(row.input),
            Ok(_) if !row.is_readable() => self.accepted.push(row.input),
            Ok(number) if number.kind().as_str() != row.kind => self.other_kinds.push(row.input),
            Ok(number) if number.country().to_string() != row.country => self.other_countries.push(row.input),
            Err(_) if row.is_readable() => self.refused.push(row.input),
            Ok(_) | Err(_) => {}
        }
    }

    fn n_differences(&self) -> usize {
        let lists = [&self.other_numbers, &self.refused, &self.accepted, &self.other_kinds, &self.other_countries];
        lists.into_iter().map(Vec::len).sum()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, {} valid, {} differences:", self.n_rows, self.n_valid, self.n_differences())?;
        for (name, list) in [
            ("other number", &self.other_numbers),
            ("refused", &self.refused),
            ("accepted", &self.accepted),
            ("other kind", &self.other_kinds),
            ("other country", &self.other_countries),
        ] {
            write!(f, "\n  {name}: {} {:?}", list.len(), &list[..list.len().min(40)])?;
        }
        Ok(())
    }
}

const TABLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testdata/numbers.csv"));

//! What people are told of a certificate: whom it is for, who vouches for it, and until when. Nothing is decided by
//! this; whether a certificate is good is webpki's to say.
//!
//! The reader is our own: it adds 4 KB to the binary, `x509-cert` 56 KB, `x509-parser` 128 KB.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::foreign::Foreign;

/// A certificate (RFC 5280 §4.1), as far as people ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Who vouches for it: the common name, failing that the organisation or its unit. Empty where there is none.
    pub issuer: Foreign,
    /// Whom it is for, likewise.
    pub subject: Foreign,
    /// When it begins to be valid.
    pub begins: Timestamp,
    /// The last second in which it is valid.
    pub ends: Timestamp,
    /// Nobody else vouches for it: its issuer is its subject.
    pub is_self_signed: bool,
}

impl Certificate {
    /// Reads what a server or a file presents, in DER; nothing where it is no certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let mut certificate = Der(Der(der).next(SEQUENCE)?);
        let mut fields = Der(certificate.next(SEQUENCE)?);
        if fields.0.first() == Some(&VERSION) {
            fields.next(VERSION)?;
        }
        fields.next(INTEGER)?;
        fields.next(SEQUENCE)?;
        let issuer = fields.next(SEQUENCE)?;
        let mut validity = Der(fields.next(SEQUENCE)?);
        let subject = fields.next(SEQUENCE)?;
        Some(Self {
            begins: moment(validity.any()?)?,
            ends: moment(validity.any()?)?,
            is_self_signed: issuer == subject,
            issuer: name(issuer)?,
            subject: name(subject)?,
        })
    }
}

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const TELETEX_STRING: u8 = 0x14;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// Of an attribute of a name (X.520): common name, organisation and its unit; the first of them that is there is told.
const TELLING: [&[u8]; 3] = [&[0x55, 4, 3], &[0x55, 4, 10], &[0x55, 4, 11]];

/// Elements of DER (X.690) that are still to be read.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next element, which must be of this kind.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// The tag and the content of the next element. No certificate that webpki takes holds more than 64 KiB.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, short], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match short {
            0x81 => rest.split_first_chunk().map(|(long, rest)| (u8::from_be_bytes(*long).into(), rest))?,
            0x82 => rest.split_first_chunk().map(|(long, rest)| (u16::from_be_bytes(*long).into(), rest))?,
            0x80.. => return None,
            _ => (usize::from(short), rest),
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

/// What a name calls its owner.
fn name(mut sets: &[u8]) -> Option<Foreign> {
    let mut told = [const { None }; TELLING.len()];
    while !sets.is_empty() {
        let mut rest = Der(sets);
        let mut set = Der(rest.next(SET)?);
        sets = rest.0;
        while !set.0.is_empty() {
            let mut attribute = Der(set.next(SEQUENCE)?);
            let kind = attribute.next(OBJECT_IDENTIFIER)?;
            let (tag, value) = attribute.any()?;
            if let Some(at) = TELLING.iter().position(|telling| *telling == kind) {
                // Of several the last is the nearest to the owner.
                told[at] = Some(text(tag, value));
            }
        }
    }
    Some(Foreign::new(&told.into_iter().flatten().next().unwrap_or_default()))
}

fn text(tag: u8, bytes: &[u8]) -> String {
    match tag {
        // What calls itself Teletex is Latin 1 wherever it has been met (RFC 5280 errata and OpenSSL agree on that).
        TELETEX_STRING => bytes.iter().copied().map(char::from).collect(),
        BMP_STRING => {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A time in UTC, to the second, as RFC 5280 §4.1.2.5 has it.
fn moment((tag, text): (u8, &[u8])) -> Option<Timestamp> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = two_digits(text)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (century, rest) = two_digits(text)?;
            let (year, rest) = two_digits(rest)?;
            (century * 100 + year, rest)
        }
        _ => return None,
    };
    let (month, rest) = two_digits(rest)?;
    let (day, rest) = two_digits(rest)?;
    let (hour, rest) = two_digits(rest)?;
    let (minute, rest) = two_digits(rest)?;
    let (second, rest) = two_digits(rest)?;
    let small = |number: i16| i8::try_from(number).ok();
    let moment =
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    // The end of the year 9999 stands for none, and lies beyond what a timestamp holds.
    (rest == b"Z").then(|| Offset::UTC.to_timestamp(moment).unwrap_or(Timestamp::MAX))
}

fn two_digits(text: &[u8]) -> Option<(i16, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<2>()?;
    let [tens, ones] = digits.map(|digit| char::from(digit).to_digit(10));
    Some((i16::try_from(tens? * 10 + ones?).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use rcgen::string::{BmpString, TeletexString};
    use rcgen::{CertificateParams, CertifiedIssuer, DnType, DnValue, KeyPair, date_time_ymd};

    use super::*;

    /// What a name of these attributes is told as.
    fn told(names: &[(DnType, DnValue)]) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in names {
            params.distinguished_name.push(kind.clone(), value.clone());
        }
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Certificate::read(der.der()).unwrap().subject.as_str().to_owned()
    }

    #[test]
    fn a_name_is_told_as_people_know_it() {
        let utf8 = |text: &str| DnValue::Utf8String(text.to_owned());
        let (common, organisation, unit) =
            (DnType::CommonName, DnType::OrganizationName, DnType::OrganizationalUnitName);
        let table = [
            (vec![(organisation.clone(), utf8("Acme")), (common.clone(), utf8("epm.example.com"))], "epm.example.com"),
            (vec![(DnType::CountryName, utf8("DE")), (unit.clone(), utf8("IT")), (organisation, utf8("Acme"))], "Acme"),
            (vec![(DnType::CountryName, utf8("DE")), (unit, utf8("IT"))], "IT"),
            (vec![(DnType::CountryName, utf8("DE"))], ""),
            (vec![], ""),
            (vec![(common.clone(), utf8("a\u{1b}[31m b\u{202e}"))], "a b"),
            (vec![(common.clone(), DnValue::BmpString(BmpString::try_from("Größe 日本").unwrap()))], "Größe 日本"),
            (vec![(common, DnValue::TeletexString(TeletexString::try_from("plain").unwrap()))], "plain"),
        ];
        for (names, expected) in table {
            assert_eq!(told(&names), expected, "{names:?}");
        }
        assert_eq!(text(TELETEX_STRING, b"Gr\xf6\xdfe"), "Größe");
    }

    #[test]
    fn of_several_names_the_last_is_told() {
        let common = |letter: u8| [0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, letter];
        assert_eq!(name(&[common(b'a'), common(b'b')].concat()), Some(Foreign::new("b")));
    }

    #[test]
    fn whoever_vouches_is_told_and_for_how_long() {
        let mut of_authority = CertificateParams::default();
        of_authority.distinguished_name.push(DnType::CommonName, "Acme Root");
        let authority = CertifiedIssuer::self_signed(of_authority, KeyPair::generate().unwrap()).unwrap();
        let mut of_server = CertificateParams::new(["epm.example.com".to_owned()]).unwrap();
        of_server.distinguished_name.push(DnType::CommonName, "epm.example.com");
        (of_server.not_before, of_server.not_after) = (date_time_ymd(1999, 12, 31), date_time_ymd(2051, 2, 3));
        let server = of_server.signed_by(&KeyPair::generate().unwrap(), &authority).unwrap();
        let expected = Certificate {
            issuer: Foreign::new("Acme Root"),
            subject: Foreign::new("epm.example.com"),
            begins: "1999-12-31T00:00:00Z".parse().unwrap(),
            ends: "2051-02-03T00:00:00Z".parse().unwrap(),
            is_self_signed: false,
        };
        assert_eq!(Certificate::read(server.der()), Some(expected));
        assert!(Certificate::read(authority.der()).unwrap().is_self_signed);
    }

    #[test]
    fn a_time_is_one_of_the_two_forms_and_real() {
        let table = [
            (UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59Z")),
            (UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00Z")),
            (GENERALIZED_TIME, "20500101000000Z", Some("2050-01-01T00:00:00Z")),
            (GENERALIZED_TIME, "99991231235959Z", Some("9999-12-30T22:00:00.999999999Z")),
            (GENERALIZED_TIME, "00010101000000Z", Some("0001-01-01T00:00:00Z")),
            (UTC_TIME, "260230000000Z", None),
            (UTC_TIME, "260101000060Z", None),
            (UTC_TIME, "2601010000Z", None),
            (UTC_TIME, "260101000000+0100", None),
            (UTC_TIME, "26010100000xZ", None),
            (UTC_TIME, "260101000000", None),
            (UTC_TIME, "", None),
            (INTEGER, "260101000000Z", None),
        ];
        for (tag, text, expected) in table {
            let expected = expected.map(|time| time.parse().unwrap());
            assert_eq!(moment((tag, text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_told_as_none() {
        assert_eq!(Der(b"0\x80\0\0").any(), None, "a length that is not told");
        for bytes in [&b""[..], b"0", b"0\x80", b"0\x03\x02\x01", b"-----BEGIN CERTIFICATE-----", &[0x30, 0x82, 1]] {
            assert_eq!(Certificate::read(bytes), None, "{bytes:?}");
        }
    }

    /// The bundled roots of a browser hold every kind of name: each has one that says something.
    #[test]
    fn every_known_authority_has_a_name() {
        for root in webpki_roots::TLS_SERVER_ROOTS {
            let name = name(&root.subject).unwrap();
            assert!(name.as_str().len() > 3, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end_or_refused(
            changes in prop::collection::vec((0_usize..400, any::<u8>()), 0..4),
            length in 0_usize..500,
        ) {
            let mut der = WHOLE.clone();
            for (at, byte) in changes {
                let at = at % der.len();
                der[at] = byte;
            }
            der.truncate(length.max(1));
            let _ = Certificate::read(&der);
            let _ = name(&der);
        }

        #[test]
        fn what_is_cut_off_is_no_certificate(length in 0_usize..400) {
            prop_assert!(Certificate::read(&WHOLE).is_some());
            prop_assert_eq!(Certificate::read(&WHOLE[..length.min(WHOLE.len() - 1)]), None);
        }
    }

    /// A certificate that is real.
    static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut params = CertificateParams::new(["epm.example.com".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "Acme");
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    });
}

//! Signed times: canonical digits in, milliseconds since 1970 out. No value can overflow.

use crate::scheme::TimeUnit;

/// Reads a time. `None`: not the canonical spelling of a time in this unit.
pub fn parse(text: &str, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Rfc3339 => return parse_rfc3339(text),
        TimeUnit::Rfc3339Seconds => return parse_rfc3339_seconds(text),
        // One spelling for one time: the day's name is a part of it.
        TimeUnit::HttpDate => {
            return parse_http_date(text).filter(|ms| text == http_date(*ms));
        }
        TimeUnit::TenDigitSeconds if text.len() != 10 => return None,
        TimeUnit::TenDigitSeconds => return parse(text, TimeUnit::Seconds),
        TimeUnit::Seconds | TimeUnit::Milliseconds | TimeUnit::CompactUtc | TimeUnit::BasicUtc => {}
    }
    let bytes = text.as_bytes();
    if unit == TimeUnit::BasicUtc {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let compact = format!("{date}{time}000");
        return (date.len() == 8).then(|| parse(&compact, TimeUnit::CompactUtc))?;
    }
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    match unit {
        TimeUnit::Seconds => {
            let canonical = bytes.len() <= 11 && (bytes[0] != b'0' || bytes.len() == 1);
            canonical.then(|| number(bytes) * 1_000)
        }
        TimeUnit::Milliseconds => (bytes.len() == 13 && bytes[0] != b'0').then(|| number(bytes)),
        TimeUnit::CompactUtc | TimeUnit::BasicUtc => {
            if bytes.len() != 17 {
                return None;
            }
            let field = |from: usize, to: usize| number(&bytes[from..to]);
            let (year, month, day) = (field(0, 4), field(4, 6), field(6, 8));
            let (hour, minute, second) = (field(8, 10), field(10, 12), field(12, 14));
            let valid = (1970..=9999).contains(&year)
                && (1..=12).contains(&month)
                && (1..=days_in_month(year, month)).contains(&day)
                && hour < 24
                && minute < 60
                && second < 60;
            let seconds =
                ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
            valid.then_some(seconds * 1_000 + field(14, 17))
        }
        TimeUnit::TenDigitSeconds
        | TimeUnit::Rfc3339
        | TimeUnit::Rfc3339Seconds
        | TimeUnit::HttpDate => None,
    }
}

/// RFC 3339, section 5.6, in UTC: at most three digits of a second, upper-case letters.
fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "000"));
    let shaped = date.len() == 10
        && clock.len() == 8
        && (1..=3).contains(&fraction.len())
        && [date.get(4..5)?, date.get(7..8)?] == ["-", "-"]
        && [clock.get(2..3)?, clock.get(5..6)?] == [":", ":"];
    let compact = format!(
        "{}{}{fraction:0<3}",
        date.replace('-', ""),
        clock.replace(':', "")
    );
    parse(&compact, TimeUnit::CompactUtc).filter(|_| shaped)
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The same in whole seconds, or with an offset from UTC in hours and minutes behind them.
fn parse_rfc3339_seconds(text: &str) -> Option<i64> {
    let (clock, zone) = text.split_at_checked(19)?;
    let local = parse_rfc3339(&format!("{clock}Z"))?;
    if zone == "Z" {
        return Some(local);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| number(text.as_bytes()))
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then(|| local - sign * (hours * 60 + minutes) * 60_000)
}

/// Reads an IMF-fixdate (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. The name of the
/// day is not checked.
pub fn parse_http_date(text: &str) -> Option<i64> {
    let fields: Vec<&str> = text.split_once(", ")?.1.split([' ', ':']).collect();
    let [day, month, year, hour, minute, second, "GMT"] = fields[..] else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let compact = format!("{year}{month:02}{day}{hour}{minute}{second}000");
    parse(&compact, TimeUnit::CompactUtc)
}

/// Writes an IMF-fixdate.
fn http_date(ms: i64) -> String {
    // 1970-01-01 was a Thursday.
    let day = (ms.div_euclid(86_400_000) + 4).rem_euclid(7);
    let name = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][day as usize];
    let civil = Civil::from_ms(ms);
    format!(
        "{name}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        civil.day,
        MONTHS[civil.month as usize - 1],
        civil.year,
        civil.hour,
        civil.minute,
        civil.second
    )
}

/// Writes a time as the provider would. Inverse of [`parse`].
pub fn format(ms: i64, unit: TimeUnit) -> String {
    match unit {
        TimeUnit::Seconds | TimeUnit::TenDigitSeconds => (ms.div_euclid(1_000)).to_string(),
        TimeUnit::Milliseconds => ms.to_string(),
        TimeUnit::Rfc3339 => rfc3339(ms),
        TimeUnit::Rfc3339Seconds => format!("{}Z", &rfc3339(ms)[..19]),
        TimeUnit::HttpDate => http_date(ms),
        TimeUnit::BasicUtc => {
            let compact = format(ms, TimeUnit::CompactUtc);
            format!("{}T{}Z", &compact[..8], &compact[8..14])
        }
        TimeUnit::CompactUtc => {
            let civil = Civil::from_ms(ms);
            format!(
                "{:04}{:02}{:02}{:02}{:02}{:02}{:03}",
                civil.year,
                civil.month,
                civil.day,
                civil.hour,
                civil.minute,
                civil.second,
                civil.millisecond
            )
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
pub fn rfc3339(ms: i64) -> String {
    let civil = Civil::from_ms(ms);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        civil.year,
        civil.month,
        civil.day,
        civil.hour,
        civil.minute,
        civil.second,
        civil.millisecond
    )
}

/// At most 13 digits, so the sum stays far inside an `i64`.
fn number(digits: &[u8]) -> i64 {
    digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, with years beginning in March so that
/// the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    millisecond: i64,
}

impl Civil {
    fn from_ms(ms: i64) -> Self {
        let seconds = ms.div_euclid(1_000);
        let days = seconds.div_euclid(86_400) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: seconds.rem_euclid(86_400) / 3_600,
            minute: seconds.rem_euclid(3_600) / 60,
            second: seconds.rem_euclid(60),
            millisecond: ms.rem_euclid(1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_digits_are_times() {
        assert_eq!(
            parse("1700000000", TimeUnit::Seconds),
            Some(1_700_000_000_000)
        );
        assert_eq!(parse("0", TimeUnit::Seconds), Some(0));
        for text in [
            "",
            "+1700000000",
            "-1",
            "1.7e9",
            "01700000000",
            " 1700000000",
            "1700000000 ",
            "99999999999999999999",
            "123456789012",
            "１７",
            "1700000000, 1700000000",
        ] {
            assert_eq!(parse(text, TimeUnit::Seconds), None, "{text:?}");
        }
        assert_eq!(
            parse("1700000000123", TimeUnit::Milliseconds),
            Some(1_700_000_000_123)
        );
        for text in ["1700000000", "17000000001234", "0700000000123"] {
            assert_eq!(parse(text, TimeUnit::Milliseconds), None, "{text:?}");
        }
    }

    #[test]
    fn compact_times_are_calendar_times() {
        assert_eq!(
            parse("20200727073711903", TimeUnit::CompactUtc),
            Some(1_595_835_431_903)
        );
        assert_eq!(
            parse("20240229000000000", TimeUnit::CompactUtc),
            Some(1_709_164_800_000)
        );
        for text in [
            "20230229000000000",
            "20201301000000000",
            "20200132000000000",
            "20200101240000000",
            "20200101006000000",
            "2020072707371190",
            "19691231235959999",
            "00000000000000000",
        ] {
            assert_eq!(parse(text, TimeUnit::CompactUtc), None, "{text:?}");
        }
    }

    #[test]
    fn rfc_3339_in_whole_seconds_has_two_lengths() {
        let read = |text| parse(text, TimeUnit::Rfc3339Seconds);
        assert_eq!(read("2020-01-01T07:00:00Z"), Some(1_577_862_000_000));
        assert_eq!(read("2020-01-01T00:00:00-07:00"), Some(1_577_862_000_000));
        assert_eq!(read("2020-01-01T12:30:00+05:30"), Some(1_577_862_000_000));
        for text in [
            "2020-01-01T07:00:00",
            "2020-01-01T07:00:00z",
            "2020-01-01T07:00:00.0Z",
            "2020-01-01T07:00:00ZZ",
            "2020-01-01T00:00:00-0700",
            "2020-01-01T00:00:00-24:00",
            "2020-01-01T00:00:00-07:60",
            "2020-01-01T00:00:00 07:00",
            "2020-01-01T00:00:00-07:0０",
            "2020-13-01T00:00:00-07:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(
            read(&format(1_577_862_000_999, TimeUnit::Rfc3339Seconds)),
            Some(1_577_862_000_000)
        );
    }

    #[test]
    fn every_unit_comes_back() {
        for ms in [
            1_000_000_000_000,
            1_595_835_431_903,
            1_709_164_800_000,
            4_102_444_799_999,
        ] {
            assert_eq!(
                parse(&format(ms, TimeUnit::Milliseconds), TimeUnit::Milliseconds),
                Some(ms)
            );
            assert_eq!(
                parse(&format(ms, TimeUnit::CompactUtc), TimeUnit::CompactUtc),
                Some(ms)
            );
            assert_eq!(
                parse(&format(ms, TimeUnit::Seconds), TimeUnit::Seconds),
                Some(ms / 1_000 * 1_000)
            );
        }
        assert_eq!(rfc3339(1_595_835_431_903), "2020-07-27T07:37:11.903Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
    }
}

//! The contact policy: who may be contacted now, and in which hours.

use std::fmt;
use std::str::FromStr;

use thalweg_domain::{Error, Result};

/// The limits of the workspace's `[contact_policy]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PolicyParams {
    /// Hours without contact, local time of the customer; `None` allows every hour.
    pub quiet_hours: Option<QuietHours>,
    /// Contacts per customer in any 7 days, over all channels; `None` is without limit.
    pub max_per_week: Option<u32>,
}

/// What is known about a customer at the moment of contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactRequest {
    /// Whether the customer agreed to this channel; `None` when the channel asks for no consent.
    pub consent: Option<bool>,
    /// Whether the customer has unsubscribed or complained.
    pub unsubscribed: bool,
    /// Contacts in the last 7 days, over all channels.
    pub contacts_in_last_7_days: u32,
    /// Minute of the customer's day, 0 to 1439, for channels that act at once; `None` for batch files, whose rows carry
    /// the contact window instead.
    pub local_minute: Option<u16>,
}

/// Why a customer is not contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// Did not agree to this channel.
    NoConsent,
    /// Has unsubscribed or complained.
    Unsubscribed,
    /// Has been contacted often enough this week.
    Frequency,
    /// It is a quiet hour where the customer lives.
    QuietHours,
}

impl SkipReason {
    /// All reasons, in the order in which they are looked at.
    pub const ALL: [Self; 4] = [
        Self::NoConsent,
        Self::Unsubscribed,
        Self::Frequency,
        Self::QuietHours,
    ];

    /// The stable name: `no_consent`, `unsubscribed`, `frequency` or `quiet_hours`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoConsent => "no_consent",
            Self::Unsubscribed => "unsubscribed",
            Self::Frequency => "frequency",
            Self::QuietHours => "quiet_hours",
        }
    }
}

/// Whether the customer may be contacted; if not, the first reason in the order of [`SkipReason::ALL`].
///
/// # Errors
/// The reason.
pub fn admit(request: &ContactRequest, params: &PolicyParams) -> Result<(), SkipReason> {
    if request.consent == Some(false) {
        return Err(SkipReason::NoConsent);
    }
    if request.unsubscribed {
        return Err(SkipReason::Unsubscribed);
    }
    if params
        .max_per_week
        .is_some_and(|most| request.contacts_in_last_7_days >= most)
    {
        return Err(SkipReason::Frequency);
    }
    let quiet = |minute| params.quiet_hours.is_some_and(|hours| hours.contains(minute));
    if request.local_minute.is_some_and(quiet) {
        return Err(SkipReason::QuietHours);
    }
    Ok(())
}

const MINUTES_PER_DAY: u16 = 24 * 60;

/// Hours without contact: from the start up to the end, over midnight when the start is later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    start_minute: u16,
    end_minute: u16,
}

impl QuietHours {
    /// Whether the minute of the day (0 to 1439) is quiet.
    #[must_use]
    pub const fn contains(self, minute: u16) -> bool {
        if self.start_minute < self.end_minute {
            return self.start_minute <= minute && minute < self.end_minute;
        }
        minute >= self.start_minute || minute < self.end_minute
    }

    /// The hours in which contact is allowed.
    #[must_use]
    pub const fn window(self) -> ContactWindow {
        ContactWindow {
            from_minute: self.end_minute,
            until_minute: self.start_minute,
        }
    }
}

impl FromStr for QuietHours {
    type Err = Error;

    /// Reads `21:00-08:00`.
    fn from_str(text: &str) -> Result<Self> {
        let hours = text.split_once('-').and_then(|(start, end)| {
            Some(Self {
                start_minute: minute_of_day(start)?,
                end_minute: minute_of_day(end)?,
            })
        });
        match hours {
            Some(hours) if hours.start_minute != hours.end_minute => Ok(hours),
            Some(_) => Err(Error::new(
                "TW0604",
                format!("quiet hours \"{text}\" start and end at the same time"),
            )
            .hint("to allow every hour leave quiet_hours out; to contact nobody close the channel")),
            None => Err(Error::new(
                "TW0604",
                format!("quiet hours \"{text}\" are not two times of day"),
            )
            .hint("write them as \"21:00-08:00\": from, until, on a 24-hour clock")),
        }
    }
}

/// `21:00` as minutes since midnight; nothing for anything else (`24:00` neither).
fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two_digits = |part: &str| -> Option<u16> {
        let fits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| part.parse().ok()).flatten()
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// The hours in which a customer may be contacted, local time; shown as `08:00-21:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactWindow {
    from_minute: u16,
    until_minute: u16,
}

impl fmt::Display for ContactWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minute: u16| format!("{:02}:{:02}", minute % MINUTES_PER_DAY / 60, minute % 60);
        write!(f, "{}-{}", clock(self.from_minute), clock(self.until_minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: ContactRequest = ContactRequest {
        consent: None,
        unsubscribed: false,
        contacts_in_last_7_days: 0,
        local_minute: None,
    };

    fn strict() -> PolicyParams {
        PolicyParams {
            quiet_hours: "21:00-08:00".parse().ok(),
            max_per_week: Some(2),
        }
    }

    #[test]
    fn each_reason_skips_and_the_first_is_told() {
        let cases = [
            (FREE, Ok(())),
            (
                ContactRequest {
                    consent: Some(true),
                    contacts_in_last_7_days: 1,
                    ..FREE
                },
                Ok(()),
            ),
            (
                ContactRequest {
                    consent: Some(false),
                    unsubscribed: true,
                    ..FREE
                },
                Err(SkipReason::NoConsent),
            ),
            (
                ContactRequest {
                    unsubscribed: true,
                    contacts_in_last_7_days: 9,
                    ..FREE
                },
                Err(SkipReason::Unsubscribed),
            ),
            (
                ContactRequest {
                    contacts_in_last_7_days: 2,
                    local_minute: Some(0),
                    ..FREE
                },
                Err(SkipReason::Frequency),
            ),
            (
                ContactRequest {
                    local_minute: Some(0),
                    ..FREE
                },
                Err(SkipReason::QuietHours),
            ),
            (
                ContactRequest {
                    local_minute: Some(8 * 60),
                    ..FREE
                },
                Ok(()),
            ),
        ];
        for (request, expected) in cases {
            assert_eq!(admit(&request, &strict()), expected, "{request:?}");
        }
    }

    #[test]
    fn without_limits_everybody_may_be_contacted() {
        let often = ContactRequest {
            contacts_in_last_7_days: 99,
            local_minute: Some(180),
            ..FREE
        };
        assert_eq!(admit(&often, &PolicyParams::default()), Ok(()));
        assert_eq!(
            admit(
                &often,
                &PolicyParams {
                    max_per_week: Some(0),
                    ..PolicyParams::default()
                }
            ),
            Err(SkipReason::Frequency)
        );
    }

    #[test]
    fn quiet_hours_include_their_start_and_leave_out_their_end() {
        let over_midnight: QuietHours = "21:00-08:00".parse().expect("valid");
        let by_day: QuietHours = " 9:30 - 17:05".parse().expect("valid");
        for (hours, quiet, loud) in [
            (
                over_midnight,
                vec![21 * 60, 1439, 0, 479],
                vec![480, 720, 21 * 60 - 1],
            ),
            (by_day, vec![570, 1024], vec![569, 1025, 0, 1439]),
        ] {
            assert!(quiet.iter().all(|minute| hours.contains(*minute)));
            assert!(!loud.iter().any(|minute| hours.contains(*minute)));
        }
        assert_eq!(over_midnight.window().to_string(), "08:00-21:00");
        assert_eq!(by_day.window().to_string(), "17:05-09:30");
    }

    #[test]
    fn unreadable_quiet_hours_say_how_to_write_them() {
        for text in [
            "",
            "21-8",
            "21:00",
            "25:00-08:00",
            "21:60-08:00",
            "21:00-24:00",
            "+1:00-08:00",
            "08:00-08:00",
        ] {
            let error = text.parse::<QuietHours>().expect_err(text);
            assert_eq!(error.code, "TW0604", "{text}");
            assert!(error.message.contains(text) && error.hint.is_some(), "{error}");
        }
    }
}

//! placeholder
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "dense numeric code: lengths are checked on entry, counts stay far below 2^52"
)]

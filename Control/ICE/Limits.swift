package import BondWire

/// What an agent allows, and how long it waits.
package struct Limits: Hashable, Sendable {
    /// At most 262,144: so many go into a user fragment.
    package var sessions = 4096
    /// Tuples of one session. Source: mediasoup's `MaxTuples`; a phone with two networks, IPv4 and IPv6, UDP and TCP has eight.
    package var paths = 8
    /// A session or a path is dead when nothing authentic came for so long. Source: RFC 7675 section 5.1.
    package var consent: Microseconds = 30_000_000
    /// It has gone quiet before that: one check of RFC 7675, which come each 4 to 6 s, is missing.
    package var quiet: Microseconds = 8_000_000
    /// A path over which nothing authentic came for so long gets nothing any more: half of `consent`, three of the checks of RFC 7675.
    package var silence: Microseconds = 15_000_000
    /// Between two questions whether a path leads back: a round trip of most ways.
    package var asking: Microseconds = 100_000
    /// How long credentials of before a restart are good after the first check with the new ones.
    package var overlap: Microseconds = 3_000_000
    /// Media that come over another path of the session, while none come over the one that was nominated, move it after this time.
    package var patience: Microseconds = 1_000_000
    /// Error answers without authentication, for one network (an IPv4 address, a /64 of IPv6) in a second.
    package var refusalsForEach = 10
    /// The same for all of them together.
    package var refusalsForAll = 500
    /// Answers to authentic checks of one session in a second. Chromium sends 20 for each pair while it looks for one.
    package var answers = 200

    package init() {}
}

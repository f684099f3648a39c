package import Units

/// What happened to a link of the uplink, or to all of them together.
package enum UplinkEvent: Sendable, Equatable {
    /// The receiver answers over it, at this address: it carries media.
    case live(link: String, receiver: String)
    /// It is silent and carries nothing until it is heard again.
    case silent(link: String, reason: String)
    /// None of the receiver's addresses answered over it, or it has no address of their families; tried again with pauses.
    case unreachable(link: String, reason: String)
    /// It is down, unplugged or no longer wanted.
    case removed(link: String)
    /// The encoder is asked for a third less, or for even less, than half a second ago.
    case rateCut(from: Bitrate, to: Bitrate)
    /// No report of the receiver came over any link for this long.
    case unheard(for: Duration)
    case heard
    /// The receiver's clock is another one, or this board's was set: delays are measured anew.
    case clockChanged
}

/// What happened to a link of the uplink.
package enum UplinkEvent: Sendable, Equatable {
    /// The receiver answers over it, at this address: it carries media.
    case live(link: String, receiver: String)
    /// It is silent and carries nothing until it is heard again.
    case silent(link: String)
    /// None of the receiver's addresses answered over it, or it has no address of their families; tried again with pauses.
    case unreachable(link: String, reason: String)
    /// It is down, unplugged or no longer wanted.
    case removed(link: String)
}

/// Why a packet was not protected, or not let in.
package enum SRTPError: Error, Hashable, Sendable {
    /// Not a whole packet: shorter than its own header says, than its tag, or of another version.
    case short
    /// The protected packet does not fit into the buffer.
    case tooLong
    /// Its number was there before, or is too old to tell; of what is sent `.again`, it was not there before.
    case replayed
    /// The tag does not fit, or it was not encrypted at all.
    case forged
    /// As many sources as a session may have are there.
    case full
    /// The key's numbers are used up (RFC 3711 section 9.2).
    case exhausted
}

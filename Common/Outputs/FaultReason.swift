import GStreamer
import Wire

/// What a sink's error means, in words for the person who looks at the broadcast.
enum FaultReason {
    /// - Parameter connected: the error came after the destination had taken media.
    static func of(_ fault: ElementFault, _ target: OutputSpec.Target, connected: Bool) -> OutputFault {
        .lost(hidingSecrets(plain(fault, target, connected: connected), target))
    }

    static func of(_ error: GStreamerError, _ target: OutputSpec.Target) -> OutputFault {
        .lost(hidingSecrets(error.reason, target))
    }

    private static func plain(_ fault: ElementFault, _ target: OutputSpec.Target, connected: Bool) -> String {
        let text = fault.text
        if case .file(let file) = target { return "\(file.name): \(fault.reason)" }
        if case .room = target { return "the process that takes it into the room takes nothing more" }
        guard case .rtmp(let rtmp) = target else { return srt(fault, connected: connected) }
        // The texts are those of rtmp2sink 1.22; an unknown one is shown as it is.
        if text.contains("stream already exists") { return "already publishing: another publisher uses this stream key" }
        if text.contains("publish denied") || text.contains("Not authorized") { return "the server refused the stream key: \(text)" }
        if text.contains("Unacceptable TLS certificate") {
            return "the certificate of \(rtmp.host) is not to be trusted: an unknown authority, another name, or out of date"
        }
        let endings = ["closed remotely", "closed unexpectedly", "Broken pipe", "reset by peer"]
        if !connected, endings.contains(where: text.contains) {
            // One that refuses closes with our first bytes unread, which may come as a reset.
            return "the server closed the connection before it took any media: is the application or the stream key wrong?"
        }
        if endings.contains(where: text.contains) { return lost }
        if text.contains("Connection timed out") { return connected ? lost : "no answer" }
        if text.contains("Socket I/O timed out") { return connected ? "the server took no media for 5 s" : "no answer within 5 s" }
        return text
    }

    /// An end of the limit and a reset read like an end by the server: a socket tells its error once, to rtmp2sink's reader or to its
    /// writer, and the other sees the end.
    private static var lost: String {
        "the connection was lost: the server closed or reset it, or confirmed nothing for \(Destinations.silenceLimit.milliseconds / 1000) s"
    }

    private static func srt(_ fault: ElementFault, connected: Bool) -> String {
        // libsrt says the same for a handshake that failed (3 s without an answer, or a refusal) and for each end of a connection
        // (1.5: SRTO_PEERIDLETIMEO is 5 s).
        guard fault.text.contains("Failed to write to SRT socket") else { return fault.reason }
        return connected
            ? "the connection was lost: the peer closed it, or did not answer for 5 s"
            : "no connection: nobody answers there, or the passphrase or the stream id is refused"
    }

    /// A library may put what it was given into its message.
    static func hidingSecrets(_ text: String, _ target: OutputSpec.Target) -> String {
        let secret: String?
        switch target {
        case .rtmp(let rtmp): secret = rtmp.streamKey.secret.revealed
        case .srt(let srt): secret = srt.passphrase?.secret.revealed
        case .file: secret = nil
        case .room(let room): secret = room.pass.secret.revealed
        }
        guard let secret, !secret.isEmpty else { return text }
        return text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "•••")
    }
}

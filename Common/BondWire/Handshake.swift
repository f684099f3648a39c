/// The messages of the handshake: lengths are fixed, and no answer is longer than its question.
enum Handshake {
    static let version: UInt8 = 1
    static let streamBytes = 8
    static let randomBytes = 32
    static let cookieBytes = 24
    static let macBytes = 16

    enum Kind: UInt8 {
        case hello = 0x10
        case retry = 0x11
        case open = 0x12
        case accept = 0x13
        case refuse = 0x14

        /// Of the whole datagram.
        var byteCount: Int {
            switch self {
            case .hello, .retry: 76
            case .open: 100
            case .accept: 88
            case .refuse: 52
            }
        }
    }

    /// Of what kind a datagram of the right length is; nil where it is none.
    static func kind(_ datagram: [UInt8]) -> Kind? {
        guard let first = datagram.first, let kind = Kind(rawValue: first), datagram.count == kind.byteCount else { return nil }
        return kind
    }

    /// Appends the code of `message` to it.
    static func signed(_ message: [UInt8], _ key: [UInt8], _ crypto: BondCrypto) -> [UInt8] {
        message + crypto.hmac(key, message).prefix(macBytes)
    }

    static func isAuthentic(_ datagram: [UInt8], _ key: [UInt8], _ crypto: BondCrypto) -> Bool {
        guard datagram.count > macBytes else { return false }
        return isEqual(datagram.suffix(macBytes), crypto.hmac(key, Array(datagram.dropLast(macBytes))).prefix(macBytes))
    }
}

/// Why a receiver does not take a session or a link.
package enum RefusalCode: UInt8, Hashable, Sendable, CaseIterable {
    /// It speaks another version; final.
    case version = 1
    /// Another session of the stream was heard just now.
    case sessionBusy = 2
    /// More associations wait for their first datagram than it keeps.
    case full = 3
    /// It takes no more of the stream; final.
    case ended = 4
}

/// For a person at the sender.
extension RefusalCode: CustomStringConvertible {
    package var description: String {
        switch self {
        case .version: "it speaks another version of the protocol"
        case .sessionBusy: "another sender with this key is connected"
        case .full: "too many links are being opened there at once"
        case .ended: "it takes no more of this stream"
        }
    }
}

/// `hello`, and what `open` repeats of it.
struct Greeting: Hashable {
    var version: UInt8
    var link: LinkNumber
    var stream: [UInt8]
    var session: SessionID
    var random: [UInt8]

    /// The front of a datagram that `Handshake.kind` called a hello or an open.
    init?(_ datagram: [UInt8]) {
        var reader = ByteReader(datagram, from: 1)
        guard let version = reader.u8(), let number = reader.u8(), let link = LinkNumber(Int(number)), reader.u8() == 0,
            let stream = reader.take(Handshake.streamBytes), let session = reader.take(SessionID.byteCount).flatMap({ SessionID($0) }),
            let random = reader.take(Handshake.randomBytes)
        else { return nil }
        self.version = version
        self.link = link
        self.stream = stream
        self.session = session
        self.random = random
    }

    init(_ key: StreamKey, session: SessionID, link: LinkNumber, random: [UInt8]) {
        version = Handshake.version
        self.link = link
        stream = key.stream
        self.session = session
        self.random = random
    }

    func message(_ kind: Handshake.Kind) -> [UInt8] { [kind.rawValue, version, link.value, 0] + stream + session.bytes + random }
}

/// What the three answers begin with: kind, version, link, a code or zero, and the dialer's random.
struct AnswerHead: Hashable {
    var version: UInt8
    var link: UInt8
    var code: UInt8
    var random: [UInt8]

    static let byteCount = 4 + Handshake.randomBytes

    init?(_ datagram: [UInt8]) {
        var reader = ByteReader(datagram, from: 1)
        guard let version = reader.u8(), let link = reader.u8(), let code = reader.u8(), let random = reader.take(Handshake.randomBytes)
        else { return nil }
        self.version = version
        self.link = link
        self.code = code
        self.random = random
    }

    init(link: LinkNumber, code: RefusalCode? = nil, random: [UInt8]) {
        version = Handshake.version
        self.link = link.value
        self.code = code?.rawValue ?? 0
        self.random = random
    }

    func message(_ kind: Handshake.Kind) -> [UInt8] { [kind.rawValue, version, link, code] + random }
}

/// One payload type of a section, with all that is said of it. Source: RFC 8866 section 6.6 and 6.15, RFC 4585 section 4.2.
package struct MediaCodec: Hashable, Sendable {
    /// Of `a=fmtp`: `name=value`, or a value alone, whose name is then empty.
    package struct Parameter: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// 0...127.
    package var payloadType: UInt8
    /// As it was written; names are compared without regard to case.
    package var name: String
    /// In Hz.
    package var clockRate: Int
    /// 1 where nothing is said.
    package var channels: Int
    package var parameters: [Parameter]
    /// As `nack pli`, `transport-cc`.
    package var feedback: [String]

    package init(
        payloadType: UInt8, name: String, clockRate: Int, channels: Int = 1, parameters: [Parameter] = [], feedback: [String] = []
    ) {
        self.payloadType = payloadType
        self.name = name
        self.clockRate = clockRate
        self.channels = channels
        self.parameters = parameters
        self.feedback = feedback
    }

    /// The first value of a parameter; names are compared without regard to case.
    package subscript(_ parameter: String) -> String? {
        parameters.first { $0.name.lowercased() == parameter.lowercased() }?.value
    }

    func isNamed(_ other: String) -> Bool { name.lowercased() == other.lowercased() }

    /// `111 opus/48000/2`
    init?(map words: Words) {
        var words = words
        guard let payloadType: UInt8 = words.number(0...127), let format = words.word(), words.isAtEnd else { return nil }
        let fields = parts(format, "/")
        guard 2...3 ~= fields.count, Attribute.isToken(fields[0]), let clockRate = decimal(fields[1], 1...1_000_000_000) else { return nil }
        guard let channels = fields.count == 3 ? decimal(fields[2], 1...255) : 1 else { return nil }
        self.init(payloadType: payloadType, name: fields[0], clockRate: clockRate, channels: channels)
    }

    /// `minptime=10;useinbandfec=1`
    static func parameters(_ text: String) -> [Parameter] {
        parts(text, ";").compactMap { part in
            let (name, value) = cut(trimmed(part), "=")
            if let value, Attribute.isToken(name) { return Parameter(name, value) }
            // A list or a value alone, as of RED and of telephone events.
            return trimmed(part).isEmpty ? nil : Parameter("", trimmed(part))
        }
    }

    func write(into lines: inout LineWriter) {
        lines.attribute("rtpmap", "\(payloadType) \(name)/\(clockRate)" + (channels == 1 ? "" : "/\(channels)"))
        for item in feedback { lines.attribute("rtcp-fb", "\(payloadType) \(item)") }
        guard !parameters.isEmpty else { return }
        let texts = parameters.map { $0.name.isEmpty ? $0.value : "\($0.name)=\($0.value)" }
        lines.attribute("fmtp", "\(payloadType) \(texts.joined(separator: ";"))")
    }
}

/// Without spaces and tabs at both ends.
func trimmed(_ text: String) -> String {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    let bytes = Array(text.utf8)
    guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
}

/// `a=extmap`. Source: RFC 8285 section 5.
package struct MediaExtension: Hashable, Sendable {
    /// 1...4351: those of 4096 and more are only offered.
    package var id: Int
    package var direction: MediaDirection?
    package var uri: String

    package init(id: Int, direction: MediaDirection? = nil, uri: String) {
        self.id = id
        self.direction = direction
        self.uri = uri
    }

    init?(_ words: Words) {
        var words = words
        guard let first = words.word(), let uri = words.word() else { return nil }
        let (number, direction) = cut(first, "/")
        guard let id = decimal(number, 1...4351) else { return nil }
        self.init(id: id, uri: uri)
        guard let direction else { return }
        guard let known = MediaDirection(rawValue: direction) else { return nil }
        self.direction = known
    }

    var text: String { "\(id)" + (direction.map { "/\($0.rawValue)" } ?? "") + " \(uri)" }
}

/// Who sends in a section, as the describing end sees it. Source: RFC 8866 section 6.7.
package enum MediaDirection: String, Hashable, Sendable, CaseIterable {
    case both = "sendrecv"
    case send = "sendonly"
    case receive = "recvonly"
    case inactive

    package var sends: Bool { self == .both || self == .send }
    package var receives: Bool { self == .both || self == .receive }

    /// The same, as the other end sees it.
    package var reversed: MediaDirection {
        switch self {
        case .send: .receive
        case .receive: .send
        case .both, .inactive: self
        }
    }
}

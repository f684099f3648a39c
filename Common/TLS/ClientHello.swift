/// What a TLS client says first, before anything is answered: whom it asks for, and what it would speak.
///
/// Pure: bytes in, words out. Nothing of it is proven, and a client may say what it likes: it decides which of two servers gets a connection, and
/// what is no hello of the known form is OpenSSL's to refuse.
///
/// Source: RFC 8446 sections 4.1.2, 4.2 and 5.1; RFC 6066 section 3 (server_name); RFC 7301 section 3.1 (ALPN).
package struct ClientHello: Hashable, Sendable {
    /// In lower case; nil where it asks for nobody by a name of letters, digits, dots, hyphens and underlines. Addresses are no names.
    package let serverName: String?
    /// As it prefers them; empty where it does not say.
    package let protocols: [String]

    package enum Reading: Hashable, Sendable {
        /// Good so far, and the rest is not there: at least so many bytes more.
        case partial(missing: Int)
        case whole(ClientHello)
        /// No ClientHello, or a longer one than `mostBytes`.
        case foreign
    }

    /// As far as one is read, records and all: post-quantum ones of browsers have less than 2,500 bytes, and a page of tickets fits too.
    package static let mostBytes = 16_384

    private static let recordHeaderBytes = 5
    private static let messageHeaderBytes = 4

    package init(serverName: String?, protocols: [String]) {
        self.serverName = serverName
        self.protocols = protocols
    }

    /// What is said of some bytes, but for `partial`, is said of them and whatever follows as well.
    ///
    /// - Parameter bytes: all that came from the client so far. The hello may lie in several records, and what follows it is not looked at.
    package static func read(_ bytes: [UInt8]) -> Reading {
        var message: [UInt8] = []
        var start = 0
        while true {
            let body = start + recordHeaderBytes
            guard body <= mostBytes, mayBeRecord(bytes, at: start) else { return .foreign }
            guard bytes.count >= body else { return .partial(missing: body - bytes.count) }
            let length = Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
            let end = body + length
            guard length > 0, end <= mostBytes else { return .foreign }
            message += bytes[body..<min(end, bytes.count)]
            // 1: a ClientHello.
            if let kind = message.first, kind != 1 { return .foreign }
            var size = messageHeaderBytes
            if message.count >= messageHeaderBytes {
                size += Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
                guard size <= mostBytes else { return .foreign }
                if message.count >= size { return ClientHello(message[messageHeaderBytes..<size]).map(Reading.whole) ?? .foreign }
            }
            guard bytes.count >= end else { return .partial(missing: min(end - bytes.count, size - message.count)) }
            start = end
        }
    }

    /// Whether what is there of a record's head is one of a handshake, of any version from 3.0 on.
    private static func mayBeRecord(_ bytes: [UInt8], at start: Int) -> Bool {
        (bytes.count <= start || bytes[start] == 22) && (bytes.count <= start + 1 || bytes[start + 1] == 3)
    }

    /// - Parameter body: of the message, behind its head. nil where it does not hold together.
    private init?(_ body: ArraySlice<UInt8>) {
        var reader = VectorReader(body)
        guard reader.skip(2 + 32), reader.vector(1, 0...32) != nil, reader.vector(2, 2...65_534) != nil, reader.vector(1, 1...255) != nil
        else { return nil }
        var (name, protocols): (String?, [String]?) = (nil, nil)
        if !reader.isEmpty {
            guard let block = reader.vector(2, 0...65_535), reader.isEmpty else { return nil }
            var extensions = VectorReader(block)
            var hasName = false
            while !extensions.isEmpty {
                guard let kind = extensions.number(2), let content = extensions.vector(2, 0...65_535) else { return nil }
                switch kind {
                case 0:
                    guard !hasName, let found = Self.name(content) else { return nil }
                    hasName = true
                    name = Self.readable(found)
                case 16:
                    guard protocols == nil, let found = Self.names(content) else { return nil }
                    protocols = found
                default: break
                }
            }
        }
        self.init(serverName: name, protocols: protocols ?? [])
    }

    /// The one name of the kind that there is; empty where there is another kind alone.
    private static func name(_ content: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var outer = VectorReader(content)
        guard let list = outer.vector(2, 1...65_535), outer.isEmpty else { return nil }
        var reader = VectorReader(list)
        var host: ArraySlice<UInt8>?
        while !reader.isEmpty {
            guard let kind = reader.number(1), let name = reader.vector(2, 1...65_535) else { return nil }
            guard kind == 0 else { continue }
            guard host == nil else { return nil }
            host = name
        }
        return host ?? []
    }

    private static func readable(_ name: ArraySlice<UInt8>) -> String? {
        let isName = name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isName, (1...255).contains(name.count) else { return nil }
        return String(decoding: name, as: UTF8.self).lowercased()
    }

    private static func names(_ content: ArraySlice<UInt8>) -> [String]? {
        var outer = VectorReader(content)
        guard let list = outer.vector(2, 2...65_535), outer.isEmpty else { return nil }
        var reader = VectorReader(list)
        var names: [String] = []
        while !reader.isEmpty {
            guard let name = reader.vector(1, 1...255) else { return nil }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names
    }
}

/// Numbers and vectors of TLS's presentation language, from the front; nil and false where they do not lie there whole (RFC 8446 section 3.4).
private struct VectorReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isEmpty: Bool { rest.isEmpty }

    mutating func skip(_ count: Int) -> Bool {
        guard rest.count >= count else { return false }
        rest = rest.dropFirst(count)
        return true
    }

    /// Of one or two bytes.
    mutating func number(_ size: Int) -> Int? {
        guard rest.count >= size else { return nil }
        let number = rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(size)
        return number
    }

    /// What lies behind its length, which has one or two bytes itself.
    mutating func vector(_ size: Int, _ lengths: ClosedRange<Int>) -> ArraySlice<UInt8>? {
        guard let length = number(size), lengths.contains(length), rest.count >= length else { return nil }
        defer { rest = rest.dropFirst(length) }
        return rest.prefix(length)
    }
}

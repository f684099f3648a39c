/// The target of a request, checked and decoded (RFC 9112 section 3.2, RFC 3986 section 3.3).
struct RequestTarget {
    let text: String
    let path: String
    /// Of an absolute form; nil for others.
    let authority: String?

    init(_ head: [UInt8], _ range: Range<Int>, method: Method) throws(HTTPFault) {
        guard let first = head[range].first else { throw .bad("no target") }
        if method == .connect { throw HTTPFault(.notImplemented, "CONNECT: this server is not a proxy") }
        if first == UInt8(ascii: "*"), range.count == 1 {
            guard method == .options else { throw .bad("the target * with a method other than OPTIONS") }
            (text, path, authority) = ("*", "*", nil)
            return
        }
        let start = first == UInt8(ascii: "/") ? range.lowerBound : try Self.pathStart(head, range)
        authority = start == range.lowerBound ? nil : Self.authority(head[range.lowerBound..<start])
        (text, path) = try Self.origin(head, start..<range.upperBound)
    }

    /// Where the path begins in an absolute form of http or https.
    private static func pathStart(_ head: [UInt8], _ range: Range<Int>) throws(HTTPFault) -> Int {
        for scheme in ["http://", "https://"] where Grammar.equal(head[range].prefix(scheme.utf8.count), scheme.utf8) {
            let start = range.lowerBound + scheme.utf8.count
            guard let slash = head[start..<range.upperBound].firstIndex(of: UInt8(ascii: "/")), slash > start else { break }
            return slash
        }
        throw .bad("a target that is neither a path nor an absolute http URL with a path")
    }

    /// What stands between the `//` and the path.
    private static func authority(_ bytes: ArraySlice<UInt8>) -> String {
        let slashes = bytes.firstIndex(of: UInt8(ascii: "/")) ?? bytes.startIndex
        return String(decoding: bytes[min(slashes + 2, bytes.endIndex)...], as: UTF8.self)
    }

    /// Checks each byte; decodes the path only where it has an escape.
    private static func origin(_ head: [UInt8], _ range: Range<Int>) throws(HTTPFault) -> (text: String, path: String) {
        var index = range.lowerBound
        var escaped = false
        while index < range.upperBound, head[index] != UInt8(ascii: "?") {
            let byte = head[index]
            if byte == UInt8(ascii: "%") {
                escaped = true
            } else if !Grammar.isPath(byte) {
                throw .bad("a character in the path that must be escaped: \(byte)")
            }
            index += 1
        }
        let pathRange = range.lowerBound..<index
        try checkQuery(head, index..<range.upperBound)
        let text = String(decoding: head[range], as: UTF8.self)
        guard escaped else {
            try refuseDotSegments(head[pathRange])
            return (text, index == range.upperBound ? text : String(decoding: head[pathRange], as: UTF8.self))
        }
        let decoded = try decode(head, pathRange)
        try refuseDotSegments(decoded[...])
        guard let path = String(validatingUTF8Bytes: decoded) else { throw .bad("a path that is not UTF-8") }
        return (text, path)
    }

    private static func checkQuery(_ head: [UInt8], _ range: Range<Int>) throws(HTTPFault) {
        for index in range where !Grammar.isQuery(head[index]) {
            guard head[index] == UInt8(ascii: "%") else { throw .bad("a character in the query that must be escaped: \(head[index])") }
            guard escape(head, index, range.upperBound) != nil else { throw .bad("a % in the query without two hexadecimal digits") }
        }
    }

    private static func decode(_ head: [UInt8], _ range: Range<Int>) throws(HTTPFault) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            guard head[index] == UInt8(ascii: "%") else {
                decoded.append(head[index])
                index += 1
                continue
            }
            guard let byte = escape(head, index, range.upperBound) else { throw .bad("a % in the path without two hexadecimal digits") }
            guard byte >= 0x20, byte != 0x7f, byte != UInt8(ascii: "/"), byte != UInt8(ascii: "\\") else {
                throw .bad("an escaped slash or control character in the path: \(byte)")
            }
            decoded.append(byte)
            index += 3
        }
        return decoded
    }

    private static func escape(_ head: [UInt8], _ index: Int, _ end: Int) -> UInt8? {
        guard index + 2 < end, let high = Grammar.hexValue(head[index + 1]), let low = Grammar.hexValue(head[index + 2]) else { return nil }
        return high << 4 | low
    }

    /// RFC 3986 section 6.2.2.3 has clients remove them; whoever sends one is looking for a hole.
    private static func refuseDotSegments(_ path: ArraySlice<UInt8>) throws(HTTPFault) {
        let dot = UInt8(ascii: ".")
        var length = 0
        var dots = 0
        for byte in path {
            if byte == UInt8(ascii: "/") {
                if length > 0, length == dots, dots <= 2 { throw .bad("a dot segment in the path") }
                (length, dots) = (0, 0)
            } else {
                length += 1
                if byte == dot { dots += 1 }
            }
        }
        if length > 0, length == dots, dots <= 2 { throw .bad("a dot segment in the path") }
    }
}

extension String {
    /// The text of well-formed UTF-8; nil where it is not.
    init?(validatingUTF8Bytes bytes: some Collection<UInt8>) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.elementsEqual(bytes) else { return nil }
        self = text
    }
}

/// Takes a TCP connection's bytes apart into datagrams: each has its length in two bytes before it. Source: RFC 4571 section 2; RFC 6544 section 3.
package struct StreamFrames {
    private let limit: Int
    private var pending: [UInt8] = []
    /// Something too long was announced: nothing behind it can be found.
    package private(set) var isBroken = false

    /// - Parameter limit: of one datagram's bytes; no more than this and two is ever held back.
    package init(limit: Int = 2048) { self.limit = limit }

    /// Bytes that wait for the rest of their datagram.
    package var heldBytes: Int { pending.count }

    /// Calls `body` with each datagram that is whole. Empty ones, which keep a connection open, are left out.
    /// - Returns: false where a datagram is longer than the limit: the connection is to be closed, and nothing more is taken.
    package mutating func take(_ bytes: Span<UInt8>, _ body: (Span<UInt8>) -> Void) -> Bool {
        var index = 0
        guard finish(bytes, &index, body) else { return !isBroken }
        while bytes.count - index >= 2 {
            guard let length = allowed(bytes[index], bytes[index + 1]) else { return false }
            guard bytes.count - index >= 2 + length else { break }
            if length > 0 { body(bytes.extracting(index + 2..<index + 2 + length)) }
            index += 2 + length
        }
        fill(to: .max, bytes, &index)
        return true
    }

    /// The two bytes before a datagram of `count` bytes; nil where it is too long for them.
    package static func head(of count: Int) -> [UInt8]? {
        UInt16(exactly: count).map { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    /// Puts together what began in an earlier piece.
    /// - Returns: false where its end is not here either.
    private mutating func finish(_ bytes: Span<UInt8>, _ index: inout Int, _ body: (Span<UInt8>) -> Void) -> Bool {
        guard !isBroken, !pending.isEmpty else { return !isBroken }
        fill(to: 2, bytes, &index)
        guard pending.count >= 2, let length = allowed(pending[0], pending[1]) else { return false }
        fill(to: 2 + length, bytes, &index)
        guard pending.count == 2 + length else { return false }
        if length > 0 { body(pending.span.extracting(2..<pending.count)) }
        pending.removeAll(keepingCapacity: true)
        return true
    }

    private mutating func allowed(_ high: UInt8, _ low: UInt8) -> Int? {
        let length = Int(high) << 8 | Int(low)
        guard length <= limit else {
            isBroken = true
            pending = []
            return nil
        }
        return length
    }

    private mutating func fill(to count: Int, _ bytes: Span<UInt8>, _ index: inout Int) {
        while pending.count < count, index < bytes.count {
            pending.append(bytes[index])
            index += 1
        }
    }
}

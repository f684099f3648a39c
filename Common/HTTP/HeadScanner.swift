/// Finds the end of a head and where its lines begin, over as many calls as the bytes need to arrive.
///
/// Refuses what no sender of ours writes and other parsers read in two ways: a bare CR or LF, NUL and other control
/// characters (RFC 9112 sections 2.2 and 11.1).
struct HeadScanner: Sendable {
    /// Where each line begins, counted from the start of the message; the last is that of the empty line.
    private(set) var lines: [Int32] = []
    private var scanned = 0
    private var lineStart = 0

    init() { lines.reserveCapacity(32) }

    /// Ready for the next message on the connection.
    mutating func reset() {
        lines.removeAll(keepingCapacity: true)
        scanned = 0
        lineStart = 0
    }

    /// - Returns: the length of the head with its empty line; nil while it is not complete.
    mutating func scan(_ buffer: [UInt8], _ range: Range<Int>, limits: HeadLimits) throws(HTTPFault) -> Int? {
        let base = range.lowerBound
        let end = min(range.upperBound, base + limits.bytes)
        var index = base + scanned
        while index < end {
            let byte = buffer[index]
            if byte >= 0x20 && byte != 0x7f || byte == Grammar.tab {
                index += 1
                continue
            }
            guard byte == Grammar.carriageReturn else { throw Self.refusal(of: byte) }
            guard index + 1 < end else { break }
            guard buffer[index + 1] == Grammar.lineFeed else { throw .bad("a CR without its LF in the head") }
            let line = lineStart
            lineStart = index + 2 - base
            index += 2
            if index - base - line > 2 {
                lines.append(Int32(line))
                guard lines.count <= limits.fields + 1 else { throw HTTPFault(.headersTooLarge, "more than \(limits.fields) fields") }
            } else if !lines.isEmpty {
                lines.append(Int32(line))
                scanned = lineStart
                return lineStart
            } else if line > 0 {
                // RFC 9112 section 2.2: one empty line before the request line is passed over; more are not.
                throw .bad("empty lines before the head")
            }
        }
        scanned = index - base
        if end - base == limits.bytes { throw tooLarge(limits) }
        return nil
    }

    private func tooLarge(_ limits: HeadLimits) -> HTTPFault {
        lines.isEmpty
            ? HTTPFault(.uriTooLong, "the first line is longer than \(limits.bytes) bytes")
            : HTTPFault(.headersTooLarge, "the head is longer than \(limits.bytes) bytes")
    }

    private static func refusal(of byte: UInt8) -> HTTPFault {
        byte == Grammar.lineFeed ? .bad("an LF without its CR in the head") : .bad("a control character in the head: \(byte)")
    }
}

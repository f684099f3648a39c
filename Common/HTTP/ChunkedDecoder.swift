/// Takes a chunked body apart as it arrives (RFC 9112 section 7.1). Extensions and trailers are bounded and dropped.
package struct ChunkedDecoder: Sendable, Hashable {
    private enum State: Sendable, Hashable {
        case size(digits: Int)
        /// Behind the size: blanks, then an extension.
        case blank
        case `extension`
        case sizeLineFeed
        case data
        case dataReturn, dataLineFeed
        /// At the start of a line of the trailer section.
        case trailerStart
        case trailerName, trailerValue, trailerLineFeed, lastLineFeed
        case finished
    }

    private var state = State.size(digits: 0)
    /// Bytes of the current chunk still to come.
    private var remaining = 0
    /// Of extensions and trailers, in the whole body.
    private var overhead = 0

    /// Bytes of extensions and trailers that a body may carry.
    package static let overheadLimit = 4096

    package init() {}

    /// Whether the last chunk and its trailers are through.
    package var isFinished: Bool { state == .finished }

    /// Reads on, and appends the body's bytes to `output`.
    /// - Returns: how many bytes of the range were consumed: all of them, unless the body ended before.
    package mutating func decode(
        _ input: [UInt8], _ range: Range<Int>? = nil, into output: inout [UInt8]
    ) throws(HTTPFault) -> Int {
        let range = range ?? input.indices
        var index = range.lowerBound
        while index < range.upperBound, state != .finished {
            if state == .data {
                let count = min(remaining, range.upperBound - index)
                output.append(contentsOf: input[index..<(index + count)])
                index += count
                remaining -= count
                if remaining == 0 { state = .dataReturn }
            } else {
                state = try next(input[index])
                index += 1
            }
        }
        return index - range.lowerBound
    }

    private mutating func next(_ byte: UInt8) throws(HTTPFault) -> State {
        switch state {
        case .size(let digits): return try size(byte, digits)
        case .blank, .extension: return try inExtension(byte)
        case .sizeLineFeed:
            try expect(byte, Grammar.lineFeed, "a chunk size")
            return remaining == 0 ? .trailerStart : .data
        case .dataReturn:
            try expect(byte, Grammar.carriageReturn, "a chunk")
            return .dataLineFeed
        case .dataLineFeed:
            try expect(byte, Grammar.lineFeed, "a chunk")
            return .size(digits: 0)
        case .trailerLineFeed:
            try expect(byte, Grammar.lineFeed, "a trailer field")
            return .trailerStart
        case .lastLineFeed:
            try expect(byte, Grammar.lineFeed, "the trailer section")
            return .finished
        case .trailerStart, .trailerName, .trailerValue: return try trailer(byte)
        case .data, .finished: preconditionFailure("data and the end are not read byte by byte")
        }
    }

    private mutating func size(_ byte: UInt8, _ digits: Int) throws(HTTPFault) -> State {
        if let value = Grammar.hexValue(byte) {
            // 15 digits are 60 bits: no overflow.
            guard digits < 15 else { throw .bad("a chunk size of more than 15 digits") }
            remaining = remaining << 4 | Int(value)
            return .size(digits: digits + 1)
        }
        guard digits > 0 else { throw .bad("a chunk without a size") }
        switch byte {
        case Grammar.carriageReturn: return .sizeLineFeed
        case UInt8(ascii: ";"): return .extension
        case Grammar.space, Grammar.tab: return .blank
        default: throw .bad("a chunk size that is not hexadecimal")
        }
    }

    private mutating func inExtension(_ byte: UInt8) throws(HTTPFault) -> State {
        try count()
        if state == .blank {
            switch byte {
            case Grammar.space, Grammar.tab: return .blank
            case UInt8(ascii: ";"): return .extension
            default: throw .bad("a blank behind a chunk size")
            }
        }
        if byte == Grammar.carriageReturn { return .sizeLineFeed }
        guard Grammar.isFieldValue(byte) else { throw .bad("a control character in a chunk extension") }
        return .extension
    }

    private mutating func trailer(_ byte: UInt8) throws(HTTPFault) -> State {
        if state == .trailerStart, byte == Grammar.carriageReturn { return .lastLineFeed }
        try count()
        if state == .trailerValue {
            if byte == Grammar.carriageReturn { return .trailerLineFeed }
            guard Grammar.isFieldValue(byte) else { throw .bad("a control character in a trailer field") }
            return .trailerValue
        }
        if state == .trailerName, byte == UInt8(ascii: ":") { return .trailerValue }
        guard Grammar.isToken(byte) else { throw .bad("a trailer field name that is not a token") }
        return .trailerName
    }

    private mutating func count() throws(HTTPFault) {
        overhead += 1
        guard overhead <= Self.overheadLimit else {
            throw HTTPFault(.headersTooLarge, "more than \(Self.overheadLimit) bytes of chunk extensions and trailers")
        }
    }

    private func expect(_ byte: UInt8, _ wanted: UInt8, _ place: StaticString) throws(HTTPFault) {
        guard byte == wanted else { throw .bad("no CRLF behind \(place)") }
    }
}

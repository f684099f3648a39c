package import BondWire

/// When the packets of a transport arrived, by their transport-wide numbers.
///
/// Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.
package struct TransportFeedback: Hashable, Sendable {
    package struct Arrival: Hashable, Sendable {
        package var sequence: UInt16
        /// On the receiver's clock, in steps of 250 us from a start that wraps with the reference time, every 12.4 days.
        package var at: Microseconds

        package init(sequence: UInt16, at: Microseconds) {
            self.sequence = sequence
            self.at = at
        }
    }

    package var sender: UInt32
    package var media: UInt32
    /// The first number that this tells of.
    package var base: UInt16
    /// How many numbers it tells of, 1...65,535; those that are not in `arrivals` are missing.
    package var count: Int
    /// One more for each feedback.
    package var number: UInt8
    /// In 64 ms, 24 bits with a sign: -8,388,608...8,388,607.
    package var reference: Int32
    /// In the order of the numbers, each once and each within `base` and `count`.
    package var arrivals: [Arrival]

    package static let referenceStep: Microseconds = 64_000
    package static let deltaStep: Microseconds = 250

    package init(sender: UInt32, media: UInt32, base: UInt16, count: Int, number: UInt8, reference: Int32, arrivals: [Arrival]) {
        self.sender = sender
        self.media = media
        self.base = base
        self.count = count
        self.number = number
        self.reference = reference
        self.arrivals = arrivals
    }
}

extension TransportFeedback {
    private static let reserved: UInt16 = 3

    /// What is missing costs no memory: at most one arrival for each byte.
    init(_ body: ControlReader.Body, _ bytes: Span<UInt8>) throws(ControlFault) {
        guard body.byteCount >= 18 else { throw .length }
        let start = body.start
        let count = Int(bytes.integer16(start + 10))
        guard count > 0 else { throw .value }
        let reference = ControlReader.signed24(bytes.integer24(start + 12))
        self.init(
            sender: bytes.integer32(start), media: bytes.integer32(start + 4), base: bytes.integer16(start + 8), count: count,
            number: bytes[start + 15], reference: reference, arrivals: [])
        let (received, end) = try Self.symbols(body, bytes, count)
        try take(received, from: end, body, bytes)
    }

    /// The places of the packets that came, with whether their delta has two bytes, and where the deltas begin.
    private static func symbols(
        _ body: Body, _ bytes: Span<UInt8>, _ count: Int
    ) throws(ControlFault) -> (received: [(place: Int, isLarge: Bool)], end: Int) {
        var received: [(place: Int, isLarge: Bool)] = []
        var index = body.start + 16
        var place = 0
        while place < count {
            guard index + 2 <= body.end else { throw .length }
            let chunk = bytes.integer16(index)
            index += 2
            if chunk & 0x8000 == 0 {
                let symbol = chunk >> 13 & 3
                let run = min(Int(chunk & 0x1fff), count - place)
                // A run of nothing is no progress.
                guard symbol != reserved, run > 0 else { throw .value }
                if symbol != 0 {
                    // Each has a delta of a byte at least.
                    guard received.count + run <= body.end - index else { throw .length }
                    for offset in 0..<run { received.append((place + offset, symbol == 2)) }
                }
                place += run
            } else {
                let width = chunk & 0x4000 == 0 ? 1 : 2
                let symbols = min(14 / width, count - place)
                for offset in 0..<symbols {
                    let symbol = chunk >> UInt16(14 - width * (offset + 1)) & UInt16(width == 1 ? 1 : 3)
                    guard symbol != reserved else { throw .value }
                    if symbol != 0 { received.append((place + offset, symbol == 2)) }
                }
                place += symbols
            }
        }
        return (received, index)
    }

    private typealias Body = ControlReader.Body

    private mutating func take(
        _ received: [(place: Int, isLarge: Bool)], from start: Int, _ body: Body, _ bytes: Span<UInt8>
    ) throws(ControlFault) {
        var index = start
        var time = Microseconds(reference) * Self.referenceStep
        arrivals.reserveCapacity(received.count)
        for (place, isLarge) in received {
            guard index + (isLarge ? 2 : 1) <= body.end else { throw .length }
            let delta = isLarge ? Microseconds(Int16(bitPattern: bytes.integer16(index))) : Microseconds(bytes[index])
            index += isLarge ? 2 : 1
            time += delta * Self.deltaStep
            arrivals.append(Arrival(sequence: base &+ UInt16(truncatingIfNeeded: place), at: time))
        }
    }
}

extension TransportFeedback {
    /// The body behind the four bytes that all RTCP begins with. Arrivals that are not in order, or too far apart for a delta, are
    /// written as missing.
    func write(into bytes: inout [UInt8]) {
        bytes.append(big: sender)
        bytes.append(big: media)
        bytes.append(big: base)
        bytes.append(big: UInt16(truncatingIfNeeded: count))
        bytes.append(big: UInt32(bitPattern: reference) << 8 | UInt32(number))
        var symbols = [UInt8](repeating: 0, count: min(max(count, 0), 0xffff))
        var deltas: [UInt8] = []
        var time = Microseconds(reference) * Self.referenceStep
        var next = 0
        for arrival in arrivals {
            let place = Int(arrival.sequence &- base)
            // Rounded to the grid of what was written so far, so that roundings do not add up.
            let steps = Self.steps(from: time, to: arrival.at)
            guard place >= next, place < symbols.count, let delta = Int16(exactly: steps) else { continue }
            if 0...255 ~= delta {
                symbols[place] = 1
                deltas.append(UInt8(delta))
            } else {
                symbols[place] = 2
                deltas.append(big: UInt16(bitPattern: delta))
            }
            time += steps * Self.deltaStep
            next = place + 1
        }
        Self.write(symbols, into: &bytes)
        bytes += deltas
    }

    static func steps(from: Microseconds, to: Microseconds) -> Microseconds {
        let distance = to - from
        return (distance + (distance < 0 ? -deltaStep / 2 : deltaStep / 2)) / deltaStep
    }

    /// Runs where a run is not longer than the vector would be, else fourteen symbols of one bit or seven of two.
    private static func write(_ symbols: [UInt8], into bytes: inout [UInt8]) {
        var index = 0
        while index < symbols.count {
            let symbol = symbols[index]
            var run = 1
            while index + run < symbols.count, run < 0x1fff, symbols[index + run] == symbol { run += 1 }
            let ahead = symbols[index..<min(index + 14, symbols.count)]
            let isNarrow = !ahead.contains(2)
            if run >= min(isNarrow ? 14 : 7, symbols.count - index) {
                bytes.append(big: UInt16(symbol) << 13 | UInt16(run))
                index += run
                continue
            }
            let width = isNarrow ? 1 : 2
            var chunk: UInt16 = isNarrow ? 0x8000 : 0xc000
            let part = ahead.prefix(14 / width)
            for (offset, symbol) in part.enumerated() { chunk |= UInt16(symbol) << UInt16(14 - width * (offset + 1)) }
            bytes.append(big: chunk)
            index += part.count
        }
    }
}

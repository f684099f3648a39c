/// What came of a `NumberedStream`, and when: all figures of a measurement are taken from this record afterwards.
package struct StreamRecord {
    private struct Arrival {
        let number: UInt64
        let madeAt: Int64
        let at: Int64
    }

    /// An hour at 10 Mbit/s is more; then the record ends.
    private static let limit = 16_000_000

    private var arrivals: [Arrival] = []
    private var seen: [UInt64] = []
    private var highest: UInt64?
    private var duplicates = 0
    private var reordered = 0
    private var malformed = 0

    package init() {}

    /// Takes a datagram of whole packets.
    package mutating func take(_ datagram: UnsafeRawBufferPointer, at now: Int64) {
        guard datagram.count > 0, datagram.count % NumberedStream.packetBytes == 0 else {
            malformed += 1
            return
        }
        for start in stride(from: 0, to: datagram.count, by: NumberedStream.packetBytes) {
            let packet = UnsafeRawBufferPointer(rebasing: datagram[start..<(start + NumberedStream.packetBytes)])
            guard let mark = NumberedStream.mark(of: packet), mark.number < Self.limit else {
                malformed += 1
                continue
            }
            take(mark, at: now)
        }
    }

    private mutating func take(_ mark: NumberedStream.Mark, at now: Int64) {
        let (word, bit) = (Int(mark.number / 64), UInt64(1) << (mark.number % 64))
        if seen.count <= word { seen.append(contentsOf: repeatElement(0, count: word + 1 - seen.count)) }
        guard seen[word] & bit == 0 else {
            duplicates += 1
            return
        }
        seen[word] |= bit
        if let highest, mark.number < highest { reordered += 1 }
        highest = max(highest ?? 0, mark.number)
        arrivals.append(Arrival(number: mark.number, madeAt: mark.madeAt, at: now))
    }

    /// Of the packets that were made in `window`, nanoseconds of the monotonic clock.
    /// - Parameter late: what took more nanoseconds than this is counted as such.
    package func figures(_ window: Range<Int64>, late: Int64 = .max) -> StreamFigures {
        let chosen = arrivals.filter { window.contains($0.madeAt) }
        var figures = StreamFigures(received: chosen.count, duplicates: duplicates, reordered: reordered, malformed: malformed)
        var previous: Arrival?
        for arrival in chosen {
            let latency = Int((arrival.at - arrival.madeAt) / 1000)
            if arrival.at - arrival.madeAt > late { figures.late += 1 }
            figures.receivedByMade.add(1, at: arrival.madeAt)
            figures.latencyUsByMade.raise(to: latency, at: arrival.madeAt)
            figures.receivedByArrival.add(1, at: arrival.at)
            if let previous, arrival.at - previous.at > 0 {
                figures.gap(milliseconds(arrival.at - previous.at), at: previous.at)
            }
            previous = arrival
        }
        let latencies = chosen.map { $0.at - $0.madeAt }.sorted()
        if let last = latencies.last {
            figures.latencyMs = StreamFigures.Latency(
                mean: milliseconds(latencies.reduce(0, +)) / Double(latencies.count), p50: milliseconds(latencies[latencies.count / 2]),
                p99: milliseconds(latencies[min(latencies.count - 1, latencies.count * 99 / 100)]), max: milliseconds(last),
                min: milliseconds(latencies[0]))
        }
        return figures
    }

    private func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1000) / 1000 }
}

package struct StreamFigures: Hashable, Sendable, Codable {
    package struct Latency: Hashable, Sendable, Codable {
        package var mean = 0.0
        package var p50 = 0.0
        package var p99 = 0.0
        package var max = 0.0
        package var min = 0.0
    }

    package struct Gap: Hashable, Sendable, Codable {
        package var ms: Double
        /// When the output stopped, nanoseconds of the monotonic clock.
        package var at: Int64
    }

    /// Transport stream packets, each once.
    package var received: Int
    package var late = 0
    /// Of the whole run: what came again, after one with a higher number, or was none of the stream.
    package var duplicates: Int
    package var reordered: Int
    package var malformed: Int
    package var latencyMs = Latency()
    package var longestGap = Gap(ms: 0, at: 0)
    package var receivedByMade = StepCounts()
    /// The worst of each step, in microseconds.
    package var latencyUsByMade = StepCounts()
    package var receivedByArrival = StepCounts()

    init(received: Int, duplicates: Int, reordered: Int, malformed: Int) {
        self.received = received
        self.duplicates = duplicates
        self.reordered = reordered
        self.malformed = malformed
    }

    mutating func gap(_ ms: Double, at time: Int64) {
        if ms > longestGap.ms { longestGap = Gap(ms: ms, at: time) }
    }
}

import RISTFlow

/// The requests in a compound of RTCP packets.
enum Requests {
    /// More in one datagram is no receiver's, and costs us time.
    private static let most = 4096

    /// The compound without the requests that are not due; all else in it stays as it is.
    ///
    /// - Parameter isDue: is asked once for each packet that is asked for.
    /// - Returns: nil where it stays as it came, since all are due, none is in it, or it cannot be read.
    static func without(_ compound: [UInt8], notDue isDue: (UInt16) -> Bool) -> (compound: [UInt8], held: Int)? {
        guard let packets = parts(of: compound) else { return nil }
        var kept: [UInt8] = []
        var (asked, held) = (0, 0)
        for bytes in packets {
            guard case .nack(var nack)? = RTCPPacket.decode(bytes)?.first else {
                kept += bytes
                continue
            }
            asked += nack.ranges.reduce(0) { $0 + 1 + Int($1.more) }
            guard asked <= most else { return nil }
            let (due, count) = split(nack.ranges, isDue)
            held += count
            nack.ranges = due
            if !due.isEmpty { kept += RTCPPacket.encode([.nack(nack)], source: nack.media) }
        }
        return held == 0 ? nil : (kept, held)
    }

    /// The packets of a compound, undecoded; nil where their lengths are not right.
    private static func parts(of compound: [UInt8]) -> [[UInt8]]? {
        var packets: [[UInt8]] = []
        var index = 0
        while index < compound.count {
            guard compound.count - index >= 4 else { return nil }
            let end = index + 4 * (1 + Int(compound[index + 2]) << 8 + Int(compound[index + 3]))
            guard end <= compound.count else { return nil }
            packets.append(Array(compound[index..<end]))
            index = end
        }
        return packets
    }

    private static func split(_ ranges: [SequenceRange], _ isDue: (UInt16) -> Bool) -> (due: [SequenceRange], held: Int) {
        var due: [SequenceRange] = []
        var held = 0
        for range in ranges {
            for offset in 0...range.more {
                let number = range.first &+ offset
                guard isDue(number) else {
                    held += 1
                    continue
                }
                if let last = due.last, last.more < .max, last.first &+ last.more &+ 1 == number {
                    due[due.count - 1].more += 1
                } else {
                    due.append(SequenceRange(first: number))
                }
            }
        }
        return (due, held)
    }

    /// The questions and answers of echoes in a compound.
    static func echoes(_ compound: [UInt8]) -> (asked: [UInt64], answered: [UInt64]) {
        var (asked, answered): ([UInt64], [UInt64]) = ([], [])
        for bytes in parts(of: compound) ?? [] {
            switch RTCPPacket.decode(bytes)?.first {
            case .echoRequest(let echo): asked.append(echo.time)
            case .echoResponse(let echo): answered.append(echo.time)
            default: break
            }
        }
        return (asked, answered)
    }
}

/// Writes RTCP packets behind each other into one datagram of at most `byteLimit` bytes; what does not fit is not begun.
package struct ControlWriter {
    /// For a datagram with room for SRTCP's index and tag on any way.
    package static let standardLimit = 1200

    package private(set) var bytes: [UInt8] = []
    private let byteLimit: Int

    package init(byteLimit: Int = ControlWriter.standardLimit) {
        self.byteLimit = byteLimit
        bytes.reserveCapacity(byteLimit)
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// For the next datagram; the memory is kept.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// - Returns: whether it fit. Lists beyond what a packet counts (31 blocks or sources, 255 of a bandwidth) do not fit, nor does a
    ///   NACK or an intra request of nothing.
    package mutating func append(_ packet: ControlPacket) -> Bool {
        let start = bytes.count
        let isWritten =
            switch packet {
            case .senderReport(let report): write(report)
            case .receiverReport(let report): write(report)
            case .names(let names): write(names)
            case .goodbye(let sources): write(goodbye: sources)
            case .nack(let lost): write(lost)
            case .pictureLoss(let sender, let media):
                write(ControlType.payloadFeedback, ControlType.pictureLoss) { bytes in
                    bytes.append(big: sender)
                    bytes.append(big: media)
                }
            case .fullIntra(let sender, let requests): write(sender, requests)
            case .bandwidth(let estimate): write(estimate)
            case .transport(let feedback):
                write(ControlType.transportFeedback, ControlType.transportWide) { feedback.write(into: &$0) }
            // We do not know what was in it.
            case .other: false
            }
        if isWritten, bytes.count <= byteLimit { return true }
        bytes.removeSubrange(start...)
        return false
    }

    /// Header, body and zeros up to a whole word.
    private mutating func write(_ type: UInt8, _ count: UInt8, _ body: (inout [UInt8]) -> Void) -> Bool {
        let start = bytes.count
        bytes += [0x80 | count, type, 0, 0]
        body(&bytes)
        while (bytes.count - start) % 4 != 0 { bytes.append(0) }
        let words = (bytes.count - start) / 4 - 1
        guard words <= 0xffff else { return false }
        bytes[start + 2] = UInt8(words >> 8)
        bytes[start + 3] = UInt8(words & 0xff)
        return true
    }

    private mutating func write(_ report: SenderReport) -> Bool {
        guard report.blocks.count <= 31 else { return false }
        return write(ControlType.senderReport, UInt8(report.blocks.count)) { bytes in
            bytes.append(big: report.source)
            bytes.append(big: UInt32(truncatingIfNeeded: report.time.value >> 32))
            bytes.append(big: UInt32(truncatingIfNeeded: report.time.value))
            bytes.append(big: report.timestamp)
            bytes.append(big: report.packets)
            bytes.append(big: report.bytes)
            for block in report.blocks { block.write(into: &bytes) }
        }
    }

    private mutating func write(_ report: ReceiverReport) -> Bool {
        guard report.blocks.count <= 31 else { return false }
        return write(ControlType.receiverReport, UInt8(report.blocks.count)) { bytes in
            bytes.append(big: report.source)
            for block in report.blocks { block.write(into: &bytes) }
        }
    }

    private mutating func write(_ names: [SourceName]) -> Bool {
        guard names.count <= 31, names.allSatisfy({ $0.name.utf8.count <= 255 }) else { return false }
        return write(ControlType.description, UInt8(names.count)) { bytes in
            for name in names {
                bytes.append(big: name.source)
                bytes += [1, UInt8(name.name.utf8.count)] + Array(name.name.utf8)
                // From one to four: the first ends the items.
                bytes += [UInt8](repeating: 0, count: 4 - (2 + name.name.utf8.count) % 4)
            }
        }
    }

    private mutating func write(goodbye sources: [UInt32]) -> Bool {
        guard sources.count <= 31 else { return false }
        return write(ControlType.goodbye, UInt8(sources.count)) { bytes in
            for source in sources { bytes.append(big: source) }
        }
    }

    private mutating func write(_ lost: LostPackets) -> Bool {
        guard !lost.groups.isEmpty else { return false }
        return write(ControlType.transportFeedback, ControlType.nack) { bytes in
            bytes.append(big: lost.sender)
            bytes.append(big: lost.media)
            for group in lost.groups { bytes.append(big: UInt32(group.first) << 16 | UInt32(group.following)) }
        }
    }

    private mutating func write(_ sender: UInt32, _ requests: [FullIntraRequest]) -> Bool {
        guard !requests.isEmpty else { return false }
        return write(ControlType.payloadFeedback, ControlType.fullIntra) { bytes in
            bytes.append(big: sender)
            bytes.append(big: UInt32(0))
            for request in requests {
                bytes.append(big: request.media)
                bytes.append(big: UInt32(request.number) << 24)
            }
        }
    }

    private mutating func write(_ estimate: BandwidthEstimate) -> Bool {
        guard estimate.sources.count <= 255 else { return false }
        let exponent = max(0, 46 - estimate.bitsPerSecond.leadingZeroBitCount)
        let mantissa = UInt32(truncatingIfNeeded: estimate.bitsPerSecond >> UInt64(exponent))
        return write(ControlType.payloadFeedback, ControlType.application) { bytes in
            bytes.append(big: estimate.sender)
            bytes.append(big: UInt32(0))
            bytes.append(big: ControlType.bandwidthName)
            bytes.append(big: UInt32(estimate.sources.count) << 24 | UInt32(exponent) << 18 | mantissa)
            for source in estimate.sources { bytes.append(big: source) }
        }
    }
}

extension ReportBlock {
    func write(into bytes: inout [UInt8]) {
        bytes.append(big: source)
        bytes.append(big: UInt32(fractionLost) << 24 | UInt32(bitPattern: lost) & 0xff_ffff)
        bytes.append(big: highest)
        bytes.append(big: jitter)
        bytes.append(big: lastReport)
        bytes.append(big: delay)
    }
}

extension [UInt8] {
    mutating func append(big value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    mutating func append(big value: UInt32) {
        append(big: UInt16(truncatingIfNeeded: value >> 16))
        append(big: UInt16(truncatingIfNeeded: value))
    }
}

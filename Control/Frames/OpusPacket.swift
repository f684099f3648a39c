package import BondWire

/// What a packet of Opus says of itself. Source: RFC 6716, 3.1 and 3.2.
package enum OpusPacket {
    /// Twenty milliseconds in which nobody is heard, in two channels: CELT's flag of silence alone (4.3). A decoder of one takes it
    /// as well.
    package static let silence: [UInt8] = [0xfc, 0xff, 0xfe]
    package static let silenceTime: Microseconds = 20_000

    /// How long it is heard; nil for what is no packet.
    package static func duration(_ packet: [UInt8]) -> Microseconds? {
        guard let first = packet.first else { return nil }
        let count: Microseconds
        switch first & 3 {
        case 0: count = 1
        case 1, 2: count = 2
        default:
            guard packet.count > 1 else { return nil }
            count = Microseconds(packet[1] & 0x3f)
        }
        let duration = count * frame(first >> 3)
        // No packet is longer.
        return 1...120_000 ~= duration ? duration : nil
    }

    /// By the configuration, 0 to 31.
    private static func frame(_ configuration: UInt8) -> Microseconds {
        switch configuration {
        // SILK: 10, 20, 40, 60 ms.
        case 0..<12: [10_000, 20_000, 40_000, 60_000][Int(configuration) % 4]
        // Hybrid: 10, 20 ms.
        case 12..<16: [10_000, 20_000][Int(configuration) % 2]
        // CELT: 2.5, 5, 10, 20 ms.
        default: [2500, 5000, 10_000, 20_000][Int(configuration) % 4]
        }
    }
}

import MPEGTS

/// Whole transport stream packets of what a pipeline sends as datagrams, however it cuts its stream: ffmpeg's own are of 1,472 bytes. Holds no
/// clock and less than one packet.
///
/// A datagram that is lost costs what it held and the packets that it shared with its neighbours.
struct PacketIntake {
    /// Datagrams in which no packet could begin where one should, or was torn by another that is missing.
    private(set) var damagedTotal = 0
    /// Bytes that were thrown away.
    var skippedTotal: Int { aligner.skippedBytes }
    private var aligner = PacketAligner()

    /// - Returns: whole packets, which may be none.
    mutating func take(_ datagram: UnsafeRawBufferPointer) -> [UInt8] {
        let before = aligner.skippedBytes
        defer { if aligner.skippedBytes > before { damagedTotal += 1 } }
        return aligner.align(Array(datagram))
    }

    /// Whether a datagram can go on as it is: whole packets, behind whole packets.
    func isWhole(_ datagram: UnsafeRawBufferPointer) -> Bool {
        !aligner.isWithinPacket && !datagram.isEmpty && datagram.count % Packet.size == 0
            && stride(from: 0, to: datagram.count, by: Packet.size).allSatisfy { datagram[$0] == Packet.syncByte }
    }
}

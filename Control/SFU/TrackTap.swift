import BondWire
import Forwarding
import RTP
import TrackLog
import TrackSpool

/// Has a track written down, as one more of those who get it: the best layer that is sent, under its publisher's own numbers, with its
/// reports.
///
/// It takes part in nobody's estimate, and asks for a key frame where it begins and where the best layer is another one.
final class TrackTap {
    private let writer: TakeWriter
    /// Its name there.
    private let number: Int
    private let payloadType: UInt8
    private var layers: RecordedLayer

    init(_ writer: TakeWriter, _ number: Int, codec: Codec, payloadType: UInt8) {
        self.writer = writer
        self.number = number
        self.payloadType = payloadType
        layers = RecordedLayer(codec)
    }

    /// The layer of its track whose key frame it waits for.
    var awaitedLayer: UInt8? { layers.awaited }

    /// - Parameter layer: of its track, from which the packet came.
    /// - Returns: whether it begins with this one, and what came behind it is wanted now.
    func take(_ packet: SourcePacket, _ payload: UnsafeRawBufferPointer, of layer: IncomingLayer, at now: Microseconds) -> Bool {
        let step = layers.take(packet)
        guard step != .drop else { return false }
        let fields = RTPFields(
            marker: packet.marker, payloadType: payloadType, sequence: UInt16(truncatingIfNeeded: packet.number),
            timestamp: packet.timestamp, source: layer.source ?? 0)
        writer.append(fields, layer: packet.layer, payload, at: now, to: number)
        return step == .begin
    }

    /// Of any layer: which of them will be written down nobody knows yet.
    func take(_ report: SenderReport, at now: Microseconds) {
        writer.append(
            .report(LoggedReport(at: now, source: report.source, time: report.time, timestamp: report.timestamp)), to: number)
    }

    func hold(_ isHeld: Bool, at now: Microseconds) {
        writer.append(.event(LoggedEvent(at: now, kind: isHeld ? .held : .released)), to: number)
        layers.leave()
    }

    /// - Parameter offers: what is sent of its track now, the cheapest first.
    func choose(_ offers: [LayerChoice.Offer]) {
        guard let best = offers.last else { return }
        // Of two that cost nearly the same the one that is there stays.
        if let held = offers.last(where: { $0.target.layer == layers.wanted }), best.bitrate <= held.bitrate * 5 / 4 { return }
        layers.want(best.target.layer)
    }

    func end(at now: Microseconds) { writer.end(number, at: now) }
}

/// Which packets of a track are written down: those of the best layer that is sent, from a key frame of it on; the one before goes on until
/// then, so that nothing is missing between the two.
package struct RecordedLayer: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        case take
        /// The first of another layer, or the first at all: what the cache has of this source behind it comes next, in order.
        case begin
        case drop
    }

    /// A jump of the source's numbers beyond this is a new beginning. Source: MAX_DROPOUT of RFC 3550, A.1.
    private static let jump: Int64 = 3000

    private struct Run: Hashable {
        let layer: UInt8
        let first: Int64
        var last: Int64

        func has(_ packet: SourcePacket) -> Bool { layer == packet.layer && first...last ~= packet.number }
    }

    private let isVideo: Bool
    package private(set) var wanted: UInt8 = 0
    private var current: Run?
    /// Of what comes late of the layer before.
    private var before: Run?

    package init(_ codec: Codec) { isVideo = codec.isVideo }

    /// The layer whose key frame is waited for.
    package var awaited: UInt8? { !isVideo || current?.layer == wanted ? nil : wanted }

    package mutating func want(_ layer: UInt8) { wanted = layer }

    /// What comes next is not of one line with what came: it begins with a key frame.
    package mutating func leave() {
        before = nil
        current = nil
    }

    package mutating func take(_ packet: SourcePacket) -> Step {
        guard isVideo else { return .take }
        if let run = current, run.layer == packet.layer {
            if packet.number < run.first { return .drop }
            if packet.number - run.last <= Self.jump {
                current?.last = max(run.last, packet.number)
                return .take
            }
            leave()
        }
        if before?.has(packet) == true { return .take }
        guard packet.layer == wanted, let mark = packet.mark, mark.startsPicture, mark.isKey,
            before.map({ $0.layer != packet.layer || $0.last < packet.number }) ?? true
        else { return .drop }
        before = current
        current = Run(layer: packet.layer, first: packet.number, last: packet.number)
        return .begin
    }
}

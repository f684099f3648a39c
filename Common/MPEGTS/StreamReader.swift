package import Units

/// The whole way from bytes of a sender to what outputs take: aligned, restamped, taken apart, in order.
///
/// Holds no clock and opens nothing; one thread feeds it.
package struct StreamReader: Sendable {
    package enum Event: Sendable {
        case program(Program)
        case video(VideoUnit)
        case audio(AudioUnit)
        /// The transport packets of one picture, for outputs that pass them on.
        case group(TransportGroup)
    }

    /// Whether transport groups are made: only while an output takes them.
    package var makesGroups = false

    private var aligner = PacketAligner()
    private var restamper = Restamper()
    private var demuxer = Demuxer()
    private var interleaver = Interleaver()
    private var group: [UInt8] = []
    /// The packets of `group` begin with a picture.
    private var groupBegan = false
    private static let groupLimit = 8 << 20

    package init() {}

    package var skippedBytes: Int { aligner.skippedBytes }
    package var continuityErrors: Int { demuxer.continuityErrors }
    /// How often the sender began anew.
    package var restarts: Int { restamper.timeline.jumps - restamper.timeline.splices }
    package var program: Program? { demuxer.program }
    /// See `Demuxer.tables`.
    package var tables: [UInt8] { demuxer.tables }
    /// What the program's clock showed last, on the outgoing timeline.
    package var clock: MediaTime? { demuxer.program.flatMap { restamper.timeline.last(on: .clock($0.clockPID)) } }
    /// What takes the stream apart, as it stands: for looking into packets that are held back.
    package var look: Demuxer { demuxer }

    /// - Parameters:
    ///   - bytes: any chunk of a transport stream.
    ///   - arrival: see `Timeline.place`.
    package mutating func feed(_ bytes: [UInt8], arrival: Duration, _ take: (Event) -> Void) {
        feed(packets: align(bytes), arrival: arrival, take)
    }

    /// Whole packets of any chunks; the rest is kept for the next call.
    package mutating func align(_ bytes: [UInt8]) -> [UInt8] { aligner.align(bytes) }

    package mutating func feed(packets: [UInt8], arrival: Duration, _ take: (Event) -> Void) {
        var packets = packets
        var position = 0
        while position < packets.count {
            if let packet = Packet(packets, at: position) { feed(packet, &packets, arrival, take) }
            position += Packet.size
        }
    }

    /// Gives out what is held back: the stream ended.
    package mutating func finish(_ take: (Event) -> Void) {
        var events: [Demuxer.Event] = []
        demuxer.finish { events.append($0) }
        pass(events, take)
        interleaver.flush { StreamReader.emit($0, take) }
    }

    /// The source has fallen silent, and another one is to take its place: gives out what is whole and forgets the rest.
    package mutating func leave(_ take: (Event) -> Void) {
        var events: [Demuxer.Event] = []
        demuxer.leave { events.append($0) }
        pass(events, take)
        interleaver.flush { StreamReader.emit($0, take) }
        // What is left goes on with the next source's first picture, and with the sound before that.
        if let video = demuxer.program?.video { group = TransportGroup.withoutTorn(group, video: video.pid) }
    }

    /// Packets of another source come next. See `Timeline.splice`.
    package mutating func splice(_ source: MediaTime, at output: MediaTime) { restamper.splice(source, at: output) }

    /// See `Restamper.leaveOut`.
    package mutating func leaveOut(_ pid: UInt16) { restamper.leaveOut(pid) }

    private mutating func feed(_ packet: Packet, _ bytes: inout [UInt8], _ arrival: Duration, _ take: (Event) -> Void) {
        if restamper.restamp(packet, in: &bytes, arrival: arrival) {
            demuxer.noteDiscontinuity()
        }
        // Its counter may have been rewritten.
        guard let packet = Packet(bytes, at: packet.start) else { return }
        var events: [Demuxer.Event] = []
        demuxer.feed(packet, bytes) { events.append($0) }
        if !events.isEmpty { pass(events, take) }
        if makesGroups { collect(packet, bytes) }
    }

    private mutating func pass(_ events: [Demuxer.Event], _ take: (Event) -> Void) {
        for event in events {
            switch event {
            case .program(let program):
                restamper.tables = [program.tablePID]
                interleaver.flush { StreamReader.emit($0, take) }
                take(.program(program))
            case .video(let unit):
                endGroup(unit, take)
                interleaver.take(.video(unit)) { StreamReader.emit($0, take) }
                if demuxer.program?.audio == nil { interleaver.flush { StreamReader.emit($0, take) } }
            case .audio(let unit):
                interleaver.take(.audio(unit)) { StreamReader.emit($0, take) }
                if demuxer.program?.video == nil { interleaver.flush { StreamReader.emit($0, take) } }
            }
        }
    }

    private static func emit(_ unit: Interleaver.Unit, _ take: (Event) -> Void) {
        switch unit {
        case .video(let picture): take(.video(picture))
        case .audio(let sound): take(.audio(sound))
        }
    }

    /// The picture has ended where the next one begins, and its packets with it.
    private mutating func endGroup(_ unit: VideoUnit, _ take: (Event) -> Void) {
        guard makesGroups, groupBegan else { return }
        take(
            .group(
                TransportGroup(bytes: group, decode: unit.decode, isKey: unit.isKey && !unit.isDamaged, tables: demuxer.tables)))
        group = []
        group.reserveCapacity(16 << 10)
        groupBegan = false
    }

    private mutating func collect(_ packet: Packet, _ bytes: [UInt8]) {
        guard packet.pid != Packet.nullPID else { return }
        if demuxer.beginsPicture(packet) { groupBegan = true }
        guard groupBegan, group.count < StreamReader.groupLimit else { return }
        group.append(contentsOf: bytes[packet.start..<packet.end])
    }
}

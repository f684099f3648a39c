package import Units

/// Writes pictures and sound as transport packets on the PIDs of a program: what takes the place of a sender that is away.
///
/// Source: ISO/IEC 13818-1, 2.4.3.
package struct TransportWriter: Sendable {
    /// What was written since it was taken last.
    package var packets: [UInt8] = []

    private let program: Program
    private var counters: [UInt16: UInt8] = [:]
    /// PIDs whose first packet has said that they begin anew.
    private var announced: Set<UInt16> = []

    /// Where the first packet of each PID says that counter and clock begin anew.
    package init(program: Program) { self.program = program }

    /// The association and the map as packets; their counters are the reader's to correct.
    package mutating func write(tables: [UInt8]) { packets += tables }

    /// - Parameters:
    ///   - bytes: NAL units in Annex B form.
    ///   - clock: what the program's clock shows when it is sent.
    package mutating func write(
        picture bytes: [UInt8], presentation: MediaTime, decode: MediaTime, isKey: Bool, clock: MediaTime
    ) {
        guard let stream = program.video else { return }
        if program.clockPID != stream.pid { write(clock: clock) }
        let both = presentation != decode
        // Pictures do not say their length: they may have more than 16 bits of it.
        var unit: [UInt8] = [0, 0, 1, 0xE0, 0, 0, 0x84, both ? 0xC0 : 0x80, both ? 10 : 5]
        unit += TransportWriter.stamp(presentation, prefix: both ? 3 : 2)
        if both { unit += TransportWriter.stamp(decode, prefix: 1) }
        unit += bytes
        write(unit: unit, on: stream.pid, clock: program.clockPID == stream.pid ? clock : nil, isKey: isKey)
    }

    /// - Parameter frame: with its ADTS header.
    package mutating func write(sound frame: [UInt8], presentation: MediaTime) {
        guard let stream = program.audio else { return }
        let length = frame.count + 8
        var unit: [UInt8] = [0, 0, 1, 0xC0, UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), 0x84, 0x80, 5]
        unit += TransportWriter.stamp(presentation, prefix: 2)
        unit += frame
        write(unit: unit, on: stream.pid, clock: nil, isKey: true)
    }

    /// A clock on a PID of its own, or on that of the sound: a packet without payload, which no counter counts.
    private mutating func write(clock: MediaTime) {
        let field = field(program.clockPID, clock: clock, isKey: false)
        let counter = (counters[program.clockPID, default: 0] &- 1) & 0x0F
        packets += [0x47, UInt8(program.clockPID >> 8), UInt8(program.clockPID & 0xFF), 0x20 | counter, 183]
        packets += field + [UInt8](repeating: 0xFF, count: 183 - field.count)
    }

    private mutating func write(unit: [UInt8], on pid: UInt16, clock: MediaTime?, isKey: Bool) {
        var rest = unit[...]
        var starts = true
        while !rest.isEmpty {
            var field = starts ? field(pid, clock: clock, isKey: isKey) : []
            // The length of the field is a byte too; one of zero is the way to fill a single byte.
            var hasField = !field.isEmpty
            let room = 184 - (hasField ? field.count + 1 : 0)
            var filling = max(0, room - rest.count)
            if filling > 0, !hasField {
                hasField = true
                filling -= 1
                if filling > 0 {
                    field = [0]
                    filling -= 1
                }
            }
            field += [UInt8](repeating: 0xFF, count: filling)
            let counter = counters[pid, default: 0]
            counters[pid] = (counter + 1) & 0x0F
            packets += [0x47, UInt8(pid >> 8) | (starts ? 0x40 : 0), UInt8(pid & 0xFF), (hasField ? 0x30 : 0x10) | counter]
            if hasField { packets += [UInt8(field.count)] + field }
            let taken = rest.prefix(184 - (hasField ? field.count + 1 : 0))
            packets += taken
            rest = rest.dropFirst(taken.count)
            starts = false
        }
    }

    /// The adaptation field without its length; empty where nothing has to be said.
    private mutating func field(_ pid: UInt16, clock: MediaTime?, isKey: Bool) -> [UInt8] {
        let isNew = announced.insert(pid).inserted
        guard isNew || isKey || clock != nil else { return [] }
        var field: [UInt8] = [(isNew ? 0x80 : 0) | (isKey ? 0x40 : 0) | (clock == nil ? 0 : 0x10)]
        if let clock {
            // Six bytes: the base, reserved bits, and an extension of zero.
            field += [0, 0, 0, 0, 0x7E, 0]
            Timestamp.writeClock(clock.ticks, &field, at: 1)
        }
        return field
    }

    private static func stamp(_ time: MediaTime, prefix: UInt8) -> [UInt8] {
        var bytes: [UInt8] = [prefix << 4, 0, 0, 0, 0]
        Timestamp.writeStamp(time.ticks, &bytes, at: 0)
        return bytes
    }
}

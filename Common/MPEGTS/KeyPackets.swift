/// Tells which packets of a transport stream are worth most: tables, everything that is no picture, and pictures that decoding
/// can begin with. Foreign bytes: whatever cannot be read is worth nothing special.
package struct KeyPackets: Sendable {
    private var association = SectionAssembler()
    private var map = SectionAssembler()
    private var mapPID: UInt16?
    private var program: Program?
    /// The picture that is under way can be begun with.
    private var isKeyPicture = false

    package init() {}

    /// - Parameter bytes: whole transport packets, the next of the stream.
    /// - Returns: whether any of them is.
    package mutating func areAmong(_ bytes: [UInt8]) -> Bool {
        var result = false
        for start in stride(from: 0, to: bytes.count, by: Packet.size) {
            guard let packet = Packet(bytes, at: start), !packet.hasError else { continue }
            if isKey(packet, bytes) { result = true }
        }
        return result
    }

    private mutating func isKey(_ packet: Packet, _ bytes: [UInt8]) -> Bool {
        switch packet.pid {
        case 0:
            for section in association.feed(packet, bytes) { mapPID = ProgramTables.mapPID(section) ?? mapPID }
            return true
        case mapPID:
            for section in map.feed(packet, bytes) { program = ProgramTables.program(section, tablePID: packet.pid) ?? program }
            return true
        case Packet.nullPID: return false
        default:
            guard let stream = program?.streams.first(where: { $0.pid == packet.pid }) else { return false }
            guard stream.coding == .h264 || stream.coding == .h265 else { return true }
            if packet.startsUnit { isKeyPicture = packet.isRandomAccess }
            return isKeyPicture
        }
    }
}

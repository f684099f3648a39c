import BondWire
import RTP

/// What one player gets of a publisher's pictures.
///
/// Every packet is counted, by the number that stands in the clear. Of those behind the first whole picture only some are opened, which
/// alone have a delay: the load has to cost less than the server does.
struct PlayedStream {
    private(set) var count = SequenceCount()
    private(set) var first = FirstPicture()
    /// Of what a player tells of the transport; nil where it tells nothing.
    var arrivals: ArrivalRecorder?
    private var untilOpening = 0

    /// One of so many is opened.
    private static let openingInterval = 8

    init(_ feedback: RoomLoadPlan.Feedback) { arrivals = feedback == .transport ? ArrivalRecorder() : nil }

    /// Takes note of a packet.
    /// - Returns: its number, counted on, where it is to be opened.
    mutating func take(_ sequence: UInt16) -> Int64? {
        let number = count.take(sequence)
        if first.isWhole, untilOpening > 0 {
            untilOpening -= 1
            return nil
        }
        untilOpening = Self.openingInterval - 1
        return number
    }

    /// - Returns: whether the first picture is whole with it.
    mutating func opened(_ packet: PicturePacket, number: Int64, isLast: Bool) -> Bool {
        first.take(packet, number: number, isLast: isLast)
    }

    mutating func restart() { count.restart() }
}

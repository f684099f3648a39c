/// What is kept of a source from its newest key frame on: with what a subscriber that comes late can begin, without anybody asking for
/// another key frame.
package struct Backlog: Hashable, Sendable {
    /// The source's number of the key frame's first packet, and of the newest that came.
    package var first: Int64
    package var last: Int64
    /// Of these two.
    package var firstTimestamp: UInt32
    package var lastTimestamp: UInt32
    /// Of all that is kept of it.
    package var bytes: Int
    /// How many packets between the two have not come.
    package var holes: Int

    package init(first: Int64, last: Int64, firstTimestamp: UInt32, lastTimestamp: UInt32, bytes: Int, holes: Int) {
        self.first = first
        self.last = last
        self.firstTimestamp = firstTimestamp
        self.lastTimestamp = lastTimestamp
        self.bytes = bytes
        self.holes = holes
    }

    /// From the key frame to the newest picture, in ticks of the source's clock; negative where its timestamps go backwards.
    package var span: Int64 { Ticks.difference(lastTimestamp, firstTimestamp) }

    /// As it is shown.
    var catchUp: CatchUp { CatchUp(last: last, timestamp: lastTimestamp) }
}

/// How pictures of the past lie on a subscriber's line of timestamps: the newest where it belongs, and those before it close to that.
///
/// A player takes the time between its first picture and the present for the delay of its way, and keeps it up for long: what came from a
/// cache with its own timestamps would stay late by the age of the key frame. So the first picture's time is nearly that of the present:
/// the player shows what follows as fast as it comes, and is in step with the sound from the first picture on.
struct CatchUp: Hashable, Sendable {
    /// The source's number of the newest packet when the subscriber began, and its timestamp.
    var last: Int64
    var timestamp: UInt32

    /// Of the time between two pictures this part is left: of thirty in a second 2 ms, so that no two have the same timestamp.
    static let share: Int64 = 16

    /// How much later than on the line a picture lies, in ticks.
    func lead(_ timestamp: UInt32) -> Int64 {
        let behind = max(0, Ticks.difference(self.timestamp, timestamp))
        return behind - behind / Self.share
    }
}

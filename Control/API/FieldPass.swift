package import Broadcasts
import Posix
package import Rooms
import Wire

extension RoomPasses {
    /// Lets a live broadcast into a room, as a participant of its sender's name who is seen and heard: while it has that output, and within a day.
    /// Who comes again later is given another one.
    package var maker: RoomPassMaker {
        { claim in
            let holder = RoomPass.Holder(
                id: claim.output.text, name: claim.name.bounded(to: Self.nameLimit), role: .member, account: nil, standing: .participant,
                field: RoomPass.Field(broadcast: claim.broadcast, output: claim.output))
            let pass = RoomPass(
                room: claim.room, organization: claim.organization, use: .publish, exp: unixMilliseconds() / 1000 + Self.daySeconds,
                holder: holder)
            return try text(of: pass)
        }
    }

    private static let daySeconds: Int64 = 86_400
    /// Of a name that is shown in rooms.
    private static let nameLimit = 50
}

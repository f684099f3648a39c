package import Broadcasts
import Posix
package import Rooms
import Wire

extension RoomPasses {
    /// Lets a live broadcast into a room, as a participant of its sender's name who is seen and heard: while it has that output, until the end of
    /// tomorrow (UTC). The same all day, so that an output that is given again with nothing new is not tried again for it.
    package var maker: RoomPassMaker {
        { claim in
            let holder = RoomPass.Holder(
                id: claim.output.text, name: claim.name.bounded(to: Self.nameLimit), role: .member, account: nil, standing: .participant,
                field: RoomPass.Field(broadcast: claim.broadcast, output: claim.output))
            let today = unixMilliseconds() / 1000 / Self.daySeconds
            let pass = RoomPass(
                room: claim.room, organization: claim.organization, use: .publish, exp: (today + 2) * Self.daySeconds, holder: holder)
            return try text(of: pass)
        }
    }

    private static let daySeconds: Int64 = 86_400
    /// Of a name that is shown in rooms.
    private static let nameLimit = 50
}

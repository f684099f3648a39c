import Glibc
import RoomLoad

// The load of `ci/bench sfu`: publishers and players of rooms, for as long as stdin is open. `RoomLoadCommand` tells its lines; each is
// answered with one of JSON.
let load = try RoomLoadCommand()
// Here and not in the command: it waits, and only this thread may.
while let line = readLine() {
    print(try await load.obey(line))
    _ = fflush(nil)
}

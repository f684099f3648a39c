import API
import Broadcasts
import Posix
import Rooms
import Testing
import Units
import Wire

struct FieldPassTests {
    private func id<Kind>(_ letter: String) -> ID<Kind> { ID("0000000000000000000000000" + letter)! }

    @Test("a broadcast's pass into a room names its output, is the same while nothing changes, and ends within two days")
    func pass() throws {
        let passes = RoomPasses(key: [UInt8](repeating: 7, count: 32))
        func claim(_ name: String) -> RoomClaim {
            RoomClaim(room: id("R"), organization: id("A"), broadcast: id("B"), output: id("1"), name: name)
        }
        let text = try passes.maker(claim("Van 3"))
        let now = unixMilliseconds() / 1000
        let pass = try #require(passes.read(text, at: now))
        #expect(pass.use == .publish && pass.room == id("R") && pass.organization == id("A"))
        #expect(pass.holder?.field == RoomPass.Field(broadcast: id("B"), output: id("1")) && pass.holder?.name == "Van 3")
        #expect((now + 86_000...now + 172_800).contains(pass.exp))
        // Unless it is midnight just now.
        if (now + 5) / 86_400 == now / 86_400 { #expect(try passes.maker(claim("Van 3")) == text) }
        #expect(try passes.maker(claim("Van 4")) != text)
        let long = try #require(passes.read(try passes.maker(claim(String(repeating: "x", count: 500))), at: now))
        #expect((long.holder?.name.count ?? 500) <= 50)
    }
}

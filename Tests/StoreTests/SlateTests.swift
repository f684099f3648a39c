import Testing
import Units
import Wire

@testable import Store

@Suite struct SlateTests {
    /// The beginning of a PNG file, as much as is looked at.
    private static func png(width: UInt8) -> [UInt8] {
        let head: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        func chunk(_ type: String, _ data: [UInt8] = []) -> [UInt8] {
            [0, 0, 0, UInt8(data.count)] + Array(type.utf8) + data + [0, 0, 0, 0]
        }
        return head + chunk("IHDR", [0, 0, 0, width, 0, 0, 0, 9, 8, 2, 0, 0, 0]) + chunk("IDAT") + chunk("IEND")
    }

    @Test("an organisation has one picture, which another does not see, and both changes are in its log")
    func one() async throws {
        let fixture = try await Fixture()
        let slates = fixture.store.slates(in: fixture.scope)
        #expect(try await slates.find() == nil)
        await #expect(throws: StoreError.missing("slate")) { try await slates.remove() }
        for width in [16, 32] as [UInt8] { try await slates.replace(with: OwnPicture(Self.png(width: width))) }
        #expect(try await slates.find()?.width == 32)
        let stranger = fixture.store.slates(in: try await fixture.stranger())
        #expect(try await stranger.find() == nil)
        await #expect(throws: StoreError.missing("slate")) { try await stranger.remove() }
        try await slates.remove()
        #expect(try await slates.find() == nil)
        let log = try await fixture.store.audit(in: fixture.scope).entries().filter { $0.action.rawValue.hasPrefix("slate") }
        #expect(Set(log.map(\.detail)) == [nil, "png 16x9, 57 bytes", "png 32x9, 57 bytes"])
    }
}

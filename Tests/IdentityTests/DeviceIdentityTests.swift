import Crypto
import Foundation
import Posix
import Testing
import Units
import Wire

@testable import Identity

@Suite("Device identity")
final class DeviceIdentityTests {
    private let folder = "/tmp/st-identity-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"

    init() { mkdir(folder, 0o700) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func identity(_ key: Ed25519PrivateKey) throws -> DeviceIdentity {
        DeviceIdentity(
            key: key, device: DeviceID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, organization: OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5FAW")!,
            name: "board 1", kind: .pool, server: try ServerOrigin("https://live.example.org"),
            authority: .pinned(sha256: [UInt8](repeating: 1, count: 32)))
    }

    @Test("a machine that was never enrolled has none")
    func none() throws {
        #expect(try DeviceIdentity.load(state: folder) == nil)
    }

    @Test("what was saved is loaded, in files for the owner alone")
    func roundTrip() throws {
        let key = try DeviceIdentity.makeKey(state: folder)
        let saved = try identity(key)
        try saved.save(state: folder)
        let loaded = try #require(try DeviceIdentity.load(state: folder))
        #expect(loaded.key.seed == key.seed && loaded.device == saved.device && loaded.organization == saved.organization)
        #expect(loaded.name == "board 1" && loaded.kind == .pool && loaded.server == saved.server && loaded.authority == saved.authority)
        for file in ["device.key", "identity.json"] {
            var status = stat()
            #expect(stat("\(folder)/\(file)", &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
        let text = try String(contentsOfFile: folder + "/identity.json", encoding: .utf8)
        #expect(!text.contains(Base64URL.encode(key.seed)))
    }

    @Test("the server that was found last comes first from then on, but none that is not the machine's; no time is taken back")
    func preferred() throws {
        let key = try DeviceIdentity.makeKey(state: folder)
        let (first, second) = (try ServerOrigin("https://live.example.org"), try ServerOrigin("https://other.example.org"))
        let saved = DeviceIdentity(
            key: key, device: DeviceID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, organization: nil, name: "board 1", kind: .sender, server: first,
            servers: [first, second], authority: .system)
        try saved.save(state: folder)
        let later = Int64(Date().timeIntervalSince1970) + 1000
        try FileTree.setTime(later, of: folder + "/identity.json")
        try DeviceIdentity.prefer(second, state: folder)
        let loaded = try #require(try DeviceIdentity.load(state: folder))
        #expect(loaded.server == second && loaded.servers == [first, second] && loaded.device == saved.device)
        #expect(loaded.timeFloor >= Int(later))
        try DeviceIdentity.prefer(ServerOrigin("https://evil.example.org"), state: folder)
        #expect(try DeviceIdentity.load(state: folder)?.server == second)
        // Not while somebody enrolls it anew, who may have written the new key and not yet the new identity.
        let enrollment = try Enrollment.lock(folder)
        #expect(throws: IdentityError.self) { try DeviceIdentity.prefer(first, state: folder) }
        flock(enrollment.raw, LOCK_UN)
        #expect(try DeviceIdentity.load(state: folder)?.server == second)
        // Long ago; the clock of this machine is none that is believed here.
        try FileTree.setTime(1000, of: folder + "/identity.json")
        try DeviceIdentity.prefer(first, state: folder)
        #expect(try DeviceIdentity.load(state: folder)?.server == first && FileTree.writtenAt(folder + "/identity.json") == 1000)
    }

    @Test("the key is made once")
    func once() throws {
        #expect(try DeviceIdentity.makeKey(state: folder).seed == DeviceIdentity.makeKey(state: folder).seed)
    }

    @Test("a key that others may read, a damaged file and a missing key are named")
    func damaged() throws {
        try identity(DeviceIdentity.makeKey(state: folder)).save(state: folder)
        chmod(folder + "/device.key", 0o644)
        #expect(throws: IdentityError.self) { try DeviceIdentity.load(state: folder) }
        chmod(folder + "/device.key", 0o600)
        #expect(try DeviceIdentity.load(state: folder) != nil)
        try KeyFile.write("AAAA", to: folder + "/device.key")
        #expect(throws: IdentityError.state(file: folder + "/device.key", reason: "not a seed of 32 bytes, base64url")) {
            try DeviceIdentity.load(state: folder)
        }
        unlink(folder + "/device.key")
        #expect(throws: IdentityError.state(file: folder + "/device.key", reason: "missing, though identity.json exists")) {
            try DeviceIdentity.load(state: folder)
        }
        try KeyFile.write("{\"version\":1", to: folder + "/identity.json")
        _ = try DeviceIdentity.makeKey(state: folder)
        #expect(throws: IdentityError.self) { try DeviceIdentity.load(state: folder) }
    }
}

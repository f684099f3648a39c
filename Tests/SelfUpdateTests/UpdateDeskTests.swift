import Crypto
import Foundation
import HTTP
import Logging
import Posix
import Releases
import Support
import Testing
import Web
import Wire

@testable import SelfUpdate

@Suite("The desk of a server's updates")
struct UpdateDeskTests {
    @Test("what is new is looked for, fetched in parts by its digest, and asked for with one order")
    func fetched() async throws {
        try await withDesk { desk, shop in
            try shop.release("1.1.0", sequence: 2, Array(repeating: 7, count: 5 << 20))
            #expect(await desk.sight().offer == nil)
            await desk.check()
            let sight = await desk.sight()
            #expect(sight.look?.fault == nil && sight.offer?.manifest.version == ReleaseVersion(1, 1, 0), "\(sight)")
            #expect(sight.offer?.bytes == 5 << 20 && sight.wish == nil)
            try await desk.install(ReleaseVersion(1, 1, 0))
            let order = try await eventually(within: .seconds(20), "the updater is asked") { try shop.order() }
            #expect(order.move == .install(ReleaseVersion(1, 1, 0), release: try shop.digest("1.1.0")))
            let asked = await desk.sight()
            #expect(asked.wish != nil && asked.download == nil)
            // Two parts of a file, each asked for once.
            #expect(shop.asked.withLock { $0.filter { $0.hasPrefix("/strata/") && $0.utf8.count > 60 }.count } == 2)
            #expect(try shop.onShelf(5 << 20))
        }
    }

    @Test("a file that comes as something else is not kept, and the page says why")
    func changed() async throws {
        try await withDesk { desk, shop in
            try shop.release("1.1.0", sequence: 2, Array(repeating: 7, count: 1000), sent: Array(repeating: 8, count: 1000))
            await desk.check()
            try await desk.install(ReleaseVersion(1, 1, 0))
            try await eventually(within: .seconds(20), "it fails") { await desk.sight().downloadFault != nil }
            #expect(await desk.sight().downloadFault?.contains("something else than was signed") == true)
            #expect(try shop.order() == nil && !shop.onShelf(1000))
        }
    }

    @Test("what nobody trusted has signed, what failed here, what is older than what was seen and what is not followed is not offered")
    func refused() async throws {
        try await withDesk { desk, shop in
            try shop.release("1.1.0", sequence: 2, [1], isForged: true)
            await desk.check()
            let forged = await desk.sight()
            #expect(forged.look?.fault?.contains("no signature") == true && forged.offer == nil)
            try shop.release("1.2.0", sequence: 3, [2], channel: .edge)
            try shop.release("1.3.0", sequence: 4, [3])
            await desk.check()
            #expect(await desk.sight().offer?.manifest.version == ReleaseVersion(1, 3, 0))
            try shop.report(failed: [Hex.encode(shop.digest("1.3.0"))], sequence: 4)
            #expect(await desk.sight().offer == nil)
            await #expect(throws: UpdateDesk.Refusal.self) { try await desk.install(ReleaseVersion(1, 3, 0)) }
            try shop.report(sequence: 5)
            #expect(await desk.sight().offer == nil)
            try shop.release("1.4.0", sequence: 6, [4], minimum: ReleaseVersion(1, 2, 0))
            await desk.check()
            #expect(await desk.sight().offer?.refusal?.contains("only 1.2.0 or later") == true)
            await #expect(throws: UpdateDesk.Refusal.self) { try await desk.install(ReleaseVersion(1, 4, 0)) }
        }
    }

    @Test("the way back is to the version before alone, and nothing is asked for while the updater is at work or was never there")
    func back() async throws {
        try await withDesk { desk, shop in
            await #expect(throws: UpdateDesk.Refusal.self) { try await desk.goBack(to: ReleaseVersion(0, 8, 0)) }
            try await desk.goBack(to: ReleaseVersion(0, 9, 0))
            #expect(try shop.order()?.move == .back(to: ReleaseVersion(0, 9, 0)))
            try await desk.restore("strata.db.before-25.1800000000000")
            await #expect(throws: UpdateDesk.Refusal.self) { try await desk.restore("../x") }
            try shop.report(phase: .working)
            await #expect(throws: UpdateDesk.Refusal.self) { try await desk.goBack(to: ReleaseVersion(0, 9, 0)) }
            try FileManager.default.removeItem(atPath: shop.folder["report"])
            await #expect(throws: UpdateDesk.Refusal.self) { try await desk.goBack(to: ReleaseVersion(0, 9, 0)) }
        }
    }
}

/// Who signs releases, the server that they are fetched from, and the files of the updater.
private final class Shop: Sendable {
    let folder: TemporaryFolder
    let asked = Guarded<[String]>([])
    private let files = Guarded<[String: [UInt8]]>([:])
    private let digests = Guarded<[String: [UInt8]]>([:])
    private let daily: Ed25519PrivateKey

    init() throws {
        folder = try TemporaryFolder()
        daily = try Ed25519PrivateKey(seed: [UInt8](repeating: 2, count: 32))
        let root = try Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32))
        let keys = try KeyList(number: 1, roots: [root.publicKey], releases: [.init(key: daily.publicKey, end: 4_000_000_000)])
        try Data(SignedText(keys.bytes, by: [root]).bytes).write(to: URL(fileURLWithPath: folder["keys"]))
        try report()
    }

    static func kind() throws -> MachineClass { try #require(MachineClass("amd64")) }

    /// - Parameter sent: what is sent in the place of the file.
    func release(
        _ version: String, sequence: Int64, _ bytes: [UInt8], channel: ReleaseChannel = .stable,
        minimum: ReleaseVersion = ReleaseVersion(0, 9, 0), isForged: Bool = false, sent: [UInt8]? = nil
    ) throws {
        let digest = SHA256.hash(bytes)
        let file = try #require(
            ReleaseFile(
                product: .server, machine: try Self.kind(), isExecutable: true, size: bytes.count, digest: digest,
                path: "bin/strata-control"))
        let manifest = try ReleaseManifest(
            version: try #require(ReleaseVersion(version)), sequence: sequence, channel: channel, released: 1_700_000_000,
            expires: 4_000_000_000, minimum: minimum, files: [file])
        let text = try SignedText(manifest.bytes, by: [isForged ? try Ed25519PrivateKey.generate() : daily])
        files.withLock { files in
            files["/strata/\(channel.rawValue).release"] = text.bytes
            files["/strata/\(Hex.encode(digest))"] = sent ?? bytes
        }
        digests.withLock { $0[version] = SHA256.hash(manifest.bytes) }
    }

    func digest(_ version: String) throws -> [UInt8] { try #require(digests.withLock { $0[version] }) }

    func report(failed: [String] = [], sequence: Int? = nil, phase: ServerUpdateReport.Phase = .idle) throws {
        let report = ServerUpdateReport(installed: "1.0.0", previous: "0.9.0", phase: phase, sequence: sequence, failed: failed)
        try JSONEncoder().encode(report).write(to: URL(fileURLWithPath: folder["report"]))
    }

    func order() throws -> ServerOrder? {
        guard let bytes = FileManager.default.contents(atPath: folder["order"]) else { return nil }
        return try ServerOrder(bytes: Array(bytes))
    }

    func onShelf(_ size: Int) throws -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder["shelf"])) ?? []
        return try names.filter { $0.utf8.count == 64 }.contains { name in
            try FileManager.default.attributesOfItem(atPath: folder["shelf/\(name)"])[.size] as? Int == size
        }
    }

    func answer(_ path: String) -> Response {
        asked.withLock { $0.append(path) }
        guard let bytes = files.withLock({ $0[path] }) else { return Response(.notFound) }
        return Response(.ok, body: .bytes(bytes))
    }
}

private func withDesk(_ body: (UpdateDesk, Shop) async throws -> Void) async throws {
    let shop = try Shop()
    let loops = try ["shop", "desk"].map { try Loop(name: $0) }
    let any = try #require(SocketAddress("127.0.0.1", port: 0))
    let server = Server(configuration: ServerConfiguration(listeners: [Listener(any)]), loops: [loops[0]]) { shop.answer($0.path) }
    let port = try await server.start()[0].port
    let outbound = OutboundGuard(allowing: [try #require(AddressRange("127.0.0.0/8"))])
    let url = try URLParts("http://127.0.0.1:\(port)/strata")
    let source = UpdateSource(
        keys: shop.folder["keys"], channel: .stable, url: url, report: shop.folder["report"], machine: try Shop.kind())
    let desk = UpdateDesk(
        source, shelf: shop.folder["shelf"], order: shop.folder["order"], version: "1.0.0",
        feed: ReleaseFeed(url, lookups: Lookups(outbound), outbound: outbound, loop: loops[1], version: "9.9"),
        log: Log("test", threshold: .error), now: { 1_795_392_000_000 })
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(desk, shop)) } catch { outcome = .failure(error) }
    await server.shutdown(grace: .zero)
    for loop in loops { loop.stop() }
    try outcome.get()
}

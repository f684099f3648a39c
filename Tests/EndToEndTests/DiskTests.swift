import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// Disks that are full while a Strata is at work.
@Suite(.serialized, .unlessStolen)
struct DiskTests {
    @Test("a full disk refuses what it cannot keep and says so; the broadcast goes on, what was acknowledged stays, and space heals it")
    func full() async throws {
        try await onStage { stage in
            let state = try await SmallDisk(at: stage.folder.makeFolder("control"), kibibytes: 16384)
            let leases = try await SmallDisk(at: stage.folder.makeFolder("run"), kibibytes: 512)
            do {
                let studio = try await Studio(on: stage, links: Studio.links, family: .ipv4, .init())
                do {
                    try await fillWhileLive(studio, state)
                    try await fillLeases(studio, leases, state)
                    await studio.clear()
                } catch {
                    await studio.clear()
                    throw error
                }
                for disk in [state, leases] { try await disk.remove() }
            } catch {
                for disk in [state, leases] { try? await disk.remove() }  // What went wrong first is told.
                throw error
            }
        }
    }

    /// Control's disk is full during a broadcast, over a kill of control too.
    private func fillWhileLive(_ studio: Studio, _ disk: SmallDisk) async throws {
        let sender = try await studio.sender()
        let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
        let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small()))
        try await studio.owner.wait(id, for: ["live"])
        let signedIn = try await visitor(studio)
        try disk.fill()
        let (kept, refused) = try await addUntilRefused(studio, platform, "first")
        measured("changes that a full disk still had room for", "\(kept.count - 1)")
        let diagnosis = try await studio.owner.answer(.get, "/diagnostics/health")
        #expect(String(decoding: diagnosis.body, as: UTF8.self).contains("0 MiB are free"))
        try await comeBack(signedIn)
        try await comeIn(studio)
        try await studio.record("show", seconds: 2)
        try await studio.installation.program("control").kill9()
        disk.free()
        studio.owner.forget()
        try await studio.installation.startControl()
        try await studio.owner.wait(id, for: ["live"], within: .seconds(5))
        let list: ListView<DestinationView> = try await studio.owner.call(.get, "/destinations")
        #expect(Set(list.items.map(\.id)) == kept && !list.items.contains { $0.name == refused })
        _ = try await studio.destination(refused, url: studio.nginx.url(), secret: "show")
        try await studio.stop(id)
        for delivery in try studio.deliveries(#require(studio.nginx.recordings("show").last)) {
            #expect(delivery.isComplete, "\(delivery)")
        }
    }

    /// The log of the database has room of its own for some changes: until one is refused.
    /// - Returns: what was acknowledged, and the name of what was not.
    private func addUntilRefused(_ studio: Studio, _ first: DestinationID, _ label: String) async throws -> (Set<DestinationID>, String) {
        var kept: Set = [first]
        for number in 0..<500 {
            let request = DestinationRequest(name: "\(label) \(number)", url: studio.nginx.url(), secret: SecretOnWire(Secret("k")))
            let answer = try await studio.owner.answer(.post, "/destinations", request)
            guard answer.status.isSuccess else {
                let problem = try JSONDecoder().decode(Problem.self, from: Data(answer.body))
                #expect(problem.status == 503 && problem.detail == "the server's disk is full; nothing was stored", "\(problem)")
                return (kept, request.name)
            }
            kept.insert(try JSONDecoder().decode(DestinationView.self, from: Data(answer.body)).id)
        }
        throw SupportFailure("a full disk took 500 destinations")
    }

    /// Somebody who has signed in.
    private func visitor(_ studio: Studio) async throws -> Visitor {
        let visitor = Visitor(server: studio.owner.server, loop: try Loop(name: "visitor"))
        _ = try await visitor.signIn("owner@example.org", studio.installation.ownerPassword)
        return visitor
    }

    /// With a full disk and no access token: the refresh token gives one and stays what it is, where its use cannot be stored.
    private func comeBack(_ visitor: Visitor) async throws {
        for _ in 0..<50 {
            visitor.token = nil
            let before = visitor.cookie
            let answer = try await visitor.refresh()
            #expect(answer.status == 200, "\(answer)")
            // The log of the database may have had room for it.
            guard visitor.cookie == before else { continue }
            let seconds = try #require(try answer.object()["expiresInSeconds"] as? Int)
            #expect(seconds <= 300)
            return #expect(try await visitor.get("/auth/me").status == 200)
        }
        throw SupportFailure("a full disk took 50 refreshes")
    }

    /// With a full disk and a password: an access token, and nothing that could be stored beside it.
    private func comeIn(_ studio: Studio) async throws {
        for _ in 0..<15 {
            let visitor = try await visitor(studio)
            #expect(try await visitor.get("/auth/me").status == 200)
            guard visitor.cookie == nil else { continue }
            let control = try studio.installation.program("control")
            _ = try await control.line(containing: "without its being stored: the disk is full", within: .seconds(1))
            return #expect(try await visitor.post("/auth/logout").status == 204)
        }
        throw SupportFailure("a full disk took 15 logins")
    }

    /// The host's folder of leases is full at a start, and control's disk at a stop, which is stored once there is room.
    private func fillLeases(_ studio: Studio, _ disk: SmallDisk, _ state: SmallDisk) async throws {
        let sender = try await studio.sender()
        let platform = try await studio.destination("second", url: studio.nginx.url(), secret: "again")
        let request = StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small())
        try disk.fill()
        let refused = try await studio.owner.wait(studio.start(request), for: ["ended"])
        let reason = try #require(refused.reason)
        #expect(reason.contains("the host cannot store the stream's lease") && reason.contains("No space left on device"), "\(reason)")
        // The path is the operator's.
        #expect(!reason.contains("/run/"), "\(reason)")
        let said = try await studio.installation.program("pool").line(containing: "refused a lease", within: .seconds(1))
        #expect(said.contains("/run/"), "\(said)")
        try await studio.expectNothingLeft(sender.id)
        disk.free()
        let id = try await studio.start(request)
        try await studio.owner.wait(id, for: ["live"])
        let signedIn = try await visitor(studio)
        try state.fill()
        _ = try await addUntilRefused(studio, platform, "second")
        // By somebody whose access token has run out. It is carried out and said to be; only the program's log can say who asked for it.
        try await comeBack(signedIn)
        let control = try studio.installation.program("control")
        let lines = control.lines.count
        let stopping = try await signedIn.post("/broadcasts/\(id)/stop")
        #expect(["stopping", "ended"].contains(try stopping.text("state")), "\(stopping)")
        _ = try await control.line(containing: "could not be written into the audit log", from: lines, within: .seconds(5))
        try await studio.owner.wait(id, for: ["ended"])
        state.free()
        try await control.line(containing: "a broadcast is stored at last", within: .seconds(5))
        // So is what happened meanwhile, as control and the board tell it.
        let told = try await eventually(within: .seconds(20), "what happened meanwhile is stored") { () -> [BroadcastEvent]? in
            let events = try await studio.owner.events(of: id, "order=newest")
            let ends = [events.contains { $0.state == "ended" }, events.contains { $0.kind == .sending && $0.reason == "stopped" }]
            return ends == [true, true] ? events : nil
        }
        #expect(told.contains { $0.state == "stopping" && $0.user != nil })
        try await control.kill9()
        try await studio.installation.startControl()
        let view: BroadcastView = try await studio.owner.call(.get, "/broadcasts/\(id)")
        #expect(view.state == "ended", "\(view)")
        #expect(Set(try await studio.owner.events(of: id, "order=newest")).isSuperset(of: told))
        try await studio.expectNothingLeft(sender.id)
    }
}

/// A filesystem of its own that is filled and emptied.
final class SmallDisk: Sendable {
    private let path: String
    private var filler: String { path + "/filler" }

    init(at path: String, kibibytes: Int) async throws {
        self.path = path
        _ = try await runTool("mount", ["-t", "tmpfs", "-o", "size=\(kibibytes)k,mode=700", "tmpfs", path])
    }

    /// Takes all that is left.
    func fill() throws {
        let file = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError("open", on: filler) }
        defer { close(file) }
        let zeros = [UInt8](repeating: 0, count: 4096)
        while write(file, zeros, zeros.count) > 0 {}
        guard errno == ENOSPC else { throw SystemError("write", on: filler) }
    }

    func free() { unlink(filler) }

    func remove() async throws { _ = try await runTool("umount", ["-l", path]) }
}

import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// Destinations that move, are changed, cannot be had for a while, or are looked up slowly, under a running broadcast.
@Suite(.serialized, .unlessStolen)
struct DestinationTests {
    private func retry(_ studio: Studio, _ destination: DestinationID, of id: BroadcastID) async throws {
        let output = try #require(try studio.output(destination, of: id))
        let _: BroadcastView = try await studio.owner.call(.post, "/broadcasts/\(id)/outputs/\(output.id)/retry")
    }

    /// What a broadcast says, once it fits. It names outputs as people do.
    @discardableResult
    private func told(_ studio: Studio, _ id: BroadcastID, within limit: Duration = .seconds(10), _ words: String...) async throws -> String
    {
        let last = Guarded<String?>(nil)
        do {
            let reason = try await eventually(within: limit, "\(words) are told") { () -> String? in
                let reason = try studio.owner.broadcast(id)?.reason
                last.withLock { $0 = reason }
                return words.allSatisfy { reason?.contains($0) == true } ? reason : nil
            }
            for output in try studio.owner.broadcast(id)?.outputs ?? [] {
                #expect(!reason.contains(output.id.text) && !reason.contains(output.destination.text), "\(reason)")
            }
            measured("told", reason)
            return reason
        } catch {
            throw SupportFailure("\(error); last: \(last.withLock { $0 } ?? "nothing")")
        }
    }

    @Test(
        "a platform that changes its address is found again by a retry and by itself, and a forbidden address is told instead of used")
    func movedPlatform() async throws {
        let names = try Names(["moving.test": "127.0.0.9", "asked.test": "127.0.0.9"])
        var settings = Installation.Settings()
        settings.inside = names.inside
        try await inStudio(settings) { studio in
            let platform = try await Nginx(on: studio.stage, listeningOn: "127.0.0.1")
            let sender = try await studio.sender()
            let steady = try await studio.destination("steady", url: studio.nginx.url(), secret: "steady")
            let moving = try await studio.destination("moving", url: "rtmp://moving.test:\(platform.rtmpPort)/live", secret: "key-m")
            let asked = try await studio.destination("asked", url: "rtmp://asked.test:\(platform.rtmpPort)/live", secret: "key-a")
            let id = try await studio.start(
                StartRequest(sender: sender.id, destinations: [steady, moving, asked], encoder: Studio.small))
            try await told(studio, id, "output 'moving' retrying: ", "output 'asked' retrying: ", "refused")

            try names.set(["moving.test": "127.0.0.1", "asked.test": "127.0.0.9"])
            var since = Instant.now
            try await studio.wait(moving, of: id, is: .connected, within: .seconds(12))
            measured("a new address is found by itself after", Instant.now - since)
            try names.set(["moving.test": "127.0.0.1", "asked.test": "127.0.0.1"])
            since = Instant.now
            try await retry(studio, asked, of: id)
            // A second at most after an attempt that control made by itself.
            try await studio.wait(asked, of: id, is: .connected, within: .seconds(4))
            measured("a new address is found by a retry after", Instant.now - since)
            try await studio.owner.wait(id, for: ["live"], within: .seconds(2))

            // The name leads into somebody's house: nothing goes there, and what it had is kept.
            try names.set(["moving.test": "10.1.2.3", "asked.test": "127.0.0.1"])
            try await platform.kill9()
            try await studio.wait(moving, of: id, is: .retrying)
            try await retry(studio, moving, of: id)
            try await told(
                studio, id, "output 'moving' retrying: moving.test leads to 10.1.2.3, which is private", "where it was before: ")
            try await platform.start()
            try await retry(studio, moving, of: id)
            try await studio.wait(moving, of: id, is: .connected, within: .seconds(12))
            try await studio.owner.wait(id, for: ["live"])
            #expect(try studio.nginx.recordings("steady").count == 1, "the others go on in their session")
            try await studio.stop(id)
            try await studio.expectNothingLeft(sender.id)
        }
    }

    @Test(
        "an output whose port or name cannot be had is told with the reason and made when it can, after the pool's host was lost too")
    func hadLater() async throws {
        let names = try Names(["platform.test": "127.0.0.1"])
        var settings = Installation.Settings()
        settings.inside = names.inside
        try await inStudio(settings) { studio in
            let sender = try await studio.sender()
            let steady = try await studio.destination("steady", url: studio.nginx.url(), secret: "steady")
            let named = try await studio.destination("named", url: "rtmp://platform.test:\(studio.nginx.rtmpPort)/live", secret: "named")
            let port = try FreePorts.udp()
            let door = DestinationRequest(
                name: "door", url: "srt://0.0.0.0:\(port)", secret: SecretOnWire(Secret("a-long-passphrase")), srtMode: .listener)
            let listener: DestinationView = try await studio.owner.call(.post, "/destinations", door)
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [steady, named], encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])

            do {
                let taken = try UDPSocket(binding: SocketAddress("0.0.0.0", port: port)!)
                let _: BroadcastView = try await studio.owner.call(
                    .post, "/broadcasts/\(id)/outputs", AddOutputRequest(destination: listener.id))
                try await told(studio, id, "output 'door' retrying: this host cannot listen for SRT there", "in use")
                withExtendedLifetime(taken) {}
            }
            try await retry(studio, listener.id, of: id)
            try await studio.wait(listener.id, of: id, is: .connected, within: .seconds(3))
            try await studio.owner.wait(id, for: ["live"], within: .seconds(2))

            // The host is lost with all that runs on it, and comes back while the name leads nowhere and the port is another's.
            try await studio.installation.program("pool").kill9()
            for receiver in studio.receivers { kill(receiver, SIGKILL) }
            try await eventually(within: .seconds(3), "no receiver is left") { studio.receivers.isEmpty }
            try FileManager.default.removeItem(atPath: studio.stage.folder["run/pool"])
            try names.set([:])
            // The last thread of a killed process closes what it had open.
            let taken = try await eventually(within: .seconds(3), "the port is free") {
                try UDPSocket(binding: SocketAddress("0.0.0.0", port: port)!)
            }
            try await studio.installation.startPool()
            let since = Instant.now
            try await told(
                studio, id, "output 'named' retrying: platform.test cannot be resolved", "output 'door' retrying: this host cannot listen")
            try await studio.wait(steady, of: id, is: .connected, within: .seconds(10))
            measured("a host that came back without one's port has the others' outputs after", Instant.now - since)
            try names.set(["platform.test": "127.0.0.1"])
            try await retry(studio, named, of: id)
            try await studio.wait(named, of: id, is: .connected, within: .seconds(3))
            #expect(try studio.output(listener.id, of: id)?.report?.state == .retrying)
            withExtendedLifetime(taken) {}
            try await studio.stop(id)
        }
    }

    @Test(
        "a destination in use is not removed; its new key is taken up at a retry or the next attempt, and nobody is cut off before")
    func changed() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "first")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
            try await studio.owner.wait(id, for: ["live"])
            let removal = try await studio.owner.refusal(.delete, "/destinations/\(platform)")
            measured("a removal is refused", "\(removal.status) \(removal.detail ?? "")")
            #expect(removal.status == 409)
            #expect(removal.detail?.contains("'platform' is in use by the broadcast \(id) of 'sender'") == true)

            func put(_ url: String, _ key: String) -> DestinationRequest {
                DestinationRequest(name: "platform", url: url, secret: SecretOnWire(Secret(key)))
            }
            let other = try await studio.owner.refusal(.put, "/destinations/\(platform)", put("srt://127.0.0.1:9000", "a-long-passphrase"))
            #expect(other.status == 409, "\(other)")
            let _: DestinationView = try await studio.owner.call(.put, "/destinations/\(platform)", put(studio.nginx.url(), "second"))
            try await always(for: .seconds(2), "it goes on where it is") {
                try await studio.nginx.publishedStreams() == ["first"] && studio.owner.broadcast(id)?.state == "live"
            }
            try await retry(studio, platform, of: id)
            try await eventually(within: .seconds(8), "a retry takes the new key up") {
                try await studio.nginx.publishedStreams() == ["second"]
            }
            try await studio.owner.wait(id, for: ["live"], within: .seconds(3))
            let _: DestinationView = try await studio.owner.call(.put, "/destinations/\(platform)", put(studio.nginx.url(), "third"))
            try await studio.nginx.drop("second")
            try await eventually(within: .seconds(4), "the next attempt takes the new key up") {
                try await studio.nginx.publishedStreams() == ["third"]
            }
            try await studio.owner.wait(id, for: ["live"], within: .seconds(3))
            let output = try #require(try studio.output(platform, of: id))
            let _: BroadcastView = try await studio.owner.call(.delete, "/broadcasts/\(id)/outputs/\(output.id)")
            #expect(try await studio.owner.answer(.delete, "/destinations/\(platform)").status.isSuccess)
            try await studio.stop(id)
        }
    }

    @Test("names that nobody answers for and changes that wait hold up nobody and nothing")
    func impatience() async throws {
        let names = try Names(["platform.test": "127.0.0.9"])
        var settings = Installation.Settings()
        settings.inside = names.inside
        try await inStudio(settings) { studio in
            let sender = try await studio.sender()
            let steady = try await studio.destination("steady", url: studio.nginx.url(), secret: "steady")
            let closed = try await studio.destination("closed", url: "rtmp://platform.test:\(try FreePorts.tcp())/live", secret: "closed")
            let slow = try await studio.destination("slow", url: "rtmp://slow.test:1935/live", secret: "slow")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [steady, closed], encoder: Studio.small))
            try await studio.wait(closed, of: id, is: .retrying)
            try await slowNames(studio, names, id, slow)
            try await waitingChanges(studio, id)
            try await studio.stop(id)
        }
    }

    private func slowNames(_ studio: Studio, _ names: Names, _ id: BroadcastID, _ slow: DestinationID) async throws {
        try names.setSilent(true)
        let began = Instant.now
        async let refusal = studio.owner.refusal(.post, "/broadcasts/\(id)/outputs", AddOutputRequest(destination: slow))
        var slowest = Duration.zero
        for _ in 0..<20 {
            let asked = Instant.now
            let _: BroadcastView = try await studio.owner.call(.get, "/broadcasts/\(id)")
            slowest = max(slowest, Instant.now - asked)
        }
        let told = try await refusal
        measured("a name that nobody answers for: \(told.detail ?? "") after", Instant.now - began)
        measured("the slowest answer meanwhile", slowest)
        #expect(told.status == 422 && told.detail?.contains("'slow'") == true && told.detail?.contains("did not answer within 3 s") == true)
        #expect(Instant.now - began < .seconds(5) && slowest < .seconds(1))
        try names.setSilent(false)
    }

    /// A sender that says nothing for a moment: eight changes wait for it, the rest is told so.
    private func waitingChanges(_ studio: Studio, _ id: BroadcastID) async throws {
        let agent = try studio.installation.program("sender")
        agent.signal(SIGSTOP)
        defer { agent.signal(SIGCONT) }
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<12 {
                group.addTask {
                    let change = ChangeBroadcastRequest(bitrate: .kilobits(600 + 10 * number))
                    return try await studio.owner.answer(.patch, "/broadcasts/\(id)", change).status.code
                }
            }
            var statuses: [Int] = []
            for try await status in group {
                statuses.append(status)
                if statuses.count == 4 { agent.signal(SIGCONT) }
            }
            return statuses
        }
        measured("twelve changes at once", "\(statuses)")
        #expect(statuses.prefix(4).allSatisfy { $0 == 429 } && statuses.dropFirst(4).allSatisfy { $0 == 200 })
    }
}

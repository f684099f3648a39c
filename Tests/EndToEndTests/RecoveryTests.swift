import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// Programs that are killed during a broadcast, each at once and without a word.
@Suite(.serialized, .unlessStolen)
struct RecoveryTests {
    @Test(
        "pool and control are killed during a broadcast: the platform sees nothing of it, and the state shown is true within 3 s",
        .row("CTL-12", "DEP-17", "SND-02"))
    func parents() async throws {
        try await inStudio { studio in
            let id = try await live(studio)
            let receiver = try #require(studio.receivers.first)
            try await killPool(studio, id)
            #expect(studio.receivers == [receiver])
            try await killControl(studio, id)
            #expect(studio.receivers == [receiver])
            try await studio.record(.seconds(2), of: "show", by: studio.nginx)
            try expectComplete(studio, "show", by: studio.nginx)
            try await studio.stopCleanly(id)
        }
    }

    @Test("a host that boots again gets its streams back on their ports, however busy it is, and until then nothing is called live")
    func hostReboots() async throws {
        try await inStudio { studio in
            let id = try await live(studio)
            let port = try studio.owner.broadcast(id)?.receiver?.port
            let folder = studio.stage.folder
            try await studio.installation.program("pool").kill9()
            for receiver in studio.receivers { kill(receiver, SIGKILL) }
            // What a boot leaves of its runtime folder, and a limit that any load is over.
            let runtime = folder["run/pool"]
            for file in try FileManager.default.contentsOfDirectory(atPath: runtime) {
                try FileManager.default.removeItem(atPath: "\(runtime)/\(file)")
            }
            let busy = try String(contentsOfFile: folder["pool.conf"], encoding: .utf8).replacingOccurrences(
                of: "cpu_limit = 100", with: "cpu_limit = 1")
            #expect(busy.contains("cpu_limit = 1\n"))
            try folder.write(busy, to: "pool.conf")
            try await studio.owner.wait(id, for: ["degraded"], within: .seconds(3))
            try await studio.installation.startPool()
            let back = Instant.now
            let view = try await studio.owner.wait(id, for: ["interrupted"], within: .seconds(3))
            #expect(view.reason?.contains("the receiver is gone") == true || view.reason?.contains("nothing arrives") == true)
            let again = try await studio.owner.wait(id, for: ["live"], within: .seconds(10))
            measured("host rebooted: live after its pool is back by", Instant.now - back)
            #expect(again.receiver?.port == port)
            try await studio.stopCleanly(id)
        }
    }

    private func killPool(_ studio: Studio, _ id: BroadcastID) async throws {
        let killed = Instant.now
        try await studio.installation.program("pool").kill9()
        let shown = try await studio.owner.wait(id, for: ["degraded"], within: .seconds(3))
        measured("a killed pool is shown after", Instant.now - killed)
        #expect(shown.reason?.contains("host") == true)
        // Its receiver goes on, and so may the broadcast be changed.
        let slower: BroadcastView = try await studio.owner.call(
            .patch, "/broadcasts/\(id)", ChangeBroadcastRequest(bitrate: .kilobits(600)))
        #expect(slower.encoder.bitrate == .kilobits(600))
        try await studio.installation.startPool()
        let back = Instant.now
        let view = try await studio.owner.wait(id, for: ["live"], within: .seconds(3))
        measured("pool restarted: live is shown after", Instant.now - back)
        #expect(view.receiver?.pid.map(Int32.init) == studio.receivers.first)
        #expect(view.receiver?.restarts == 0)
    }

    private func killControl(_ studio: Studio, _ id: BroadcastID) async throws {
        try await studio.installation.program("control").kill9()
        studio.owner.forget()
        try await studio.installation.startControl()
        let back = Instant.now
        try await studio.owner.wait(id, for: ["live"], within: .seconds(5))
        measured("control restarted: the true state is shown after", Instant.now - back)
        #expect(Instant.now - back < .seconds(3))
        let sender = try await studio.sender()
        measured("control restarted: the sender is online after", Instant.now - back)
        #expect(sender.online)
        #expect(try studio.owner.broadcast(id)?.state == "live")
    }

    @Test(
        "a killed receiver is back on its port within 5 s, and another broadcast does not notice",
        .row("RCV-01", "RCV-02", "RCV-07", "DIA-23"))
    func receiver() async throws {
        try await inStudio { studio in
            _ = try await studio.installation.enrollSender("other", inside: studio.field)
            try await studio.installation.startSender("other", inside: studio.field)
            let id = try await live(studio)
            let other = try await live(studio, sender: "other", stream: "other")
            let before = try #require(try studio.owner.broadcast(id)?.receiver)
            let witness = Witness(studio.owner, id)
            let killed = Instant.now
            kill(Int32(try #require(before.pid)), SIGKILL)
            let after = try await eventually(within: .seconds(10), "there is a new receiver") {
                try studio.owner.broadcast(id).flatMap { view in view.receiver?.pid.map { $0 != before.pid } == true ? view : nil }
            }
            let took = Instant.now - killed
            // Behind it: the buffer, the next key frame and the platform's session.
            try await studio.owner.wait(id, for: ["live"], within: .seconds(10))
            let live = Instant.now - killed
            measured("a killed receiver: there again after", took)
            try expectShown(witness, "a killed receiver", since: killed)
            measured("a killed receiver: live again after", live)
            measured("states", "\(witness.seen)")
            #expect(took < .seconds(5) && live < .seconds(5))
            #expect(after.receiver?.port == before.port)
            #expect(after.receiver?.restarts == 1)
            try await studio.record(.seconds(2), of: "show", by: studio.nginx)
            try await studio.record(.seconds(1), of: "other", by: studio.nginx)
            try expectComplete(studio, "other", sender: "other", by: studio.nginx)
            let files = try studio.nginx.recordings("show")
            measured("sessions of the killed receiver's platform", "\(files.count)")
            for kind in [AccessUnit.Kind.video, .audio] {
                let delivery = try studio.delivery(kind, from: studio.sent(), to: #require(files.last))
                #expect(delivery.isComplete, "after the receiver's restart, \(kind): \(delivery)")
            }
            try await studio.stopCleanly(id, other)
        }
    }

    @Test(
        "a killed agent goes on by itself within 5 s in the same session of the platform, with timestamps that continue",
        .row("SND-02"))
    func agent() async throws {
        try await inStudio { studio in
            let id = try await live(studio)
            let sender = try await studio.sender().id
            let witness = Witness(studio.owner, id)
            let killed = Instant.now
            try await studio.installation.program("sender").kill9()
            // Longer away than the buffer hides.
            try await eventually(within: .seconds(3), "it is shown offline, and what is missing") {
                try studio.owner.sender(sender)?.online == false && witness.seen.contains { $0.at > killed && $0.state != "live" }
            }
            let restarted = Instant.now
            try await studio.startSender()
            try await studio.installation.program("sender").line(containing: "\"state\":\"sending\"", within: .seconds(10))
            let took = Instant.now - killed
            measured("a killed agent: sending again after", took)
            #expect(took < .seconds(5))
            let sending = Instant.now
            // Five seconds from its start on, even if its first key frame is lost on the way: the next one comes two seconds later.
            try await eventually(within: .seconds(5) - (sending - restarted), "live and online are shown") {
                try studio.owner.broadcast(id)?.state == "live" && studio.owner.sender(sender)?.online == true
            }
            measured("a killed agent: live is shown after it sends again by", Instant.now - sending)
            try expectShown(witness, "a killed agent", since: killed)
            try await studio.record(.seconds(3), of: "show", by: studio.nginx)
            measured("states", "\(witness.seen)")
            let files = try studio.nginx.recordings("show")
            #expect(files.count == 1)
            try expectContinuous(Recording.accessUnits(#require(files.last)), .seconds(5))
            try await studio.stopCleanly(id)
        }
    }

    /// Within 3 s of a kill the page says that something is missing, and what.
    private func expectShown(_ witness: Witness, _ what: String, since killed: Instant) throws {
        let first = witness.seen.first { $0.at > killed && $0.state != "live" }
        measured("\(what) is shown after", first.map { $0.at - killed })
        let shown = try #require(first, "\(what) is not shown: \(witness.seen)")
        #expect(shown.at - killed < .seconds(3))
        #expect(["degraded", "interrupted"].contains(shown.state), "\(shown)")
    }

    /// Times go on over a gap that is as long as what is missing, and no longer than `limit`.
    private func expectContinuous(_ units: [AccessUnit], _ limit: Duration) throws {
        for kind in [AccessUnit.Kind.video, .audio] {
            let times = units.filter { $0.kind == kind }.map(\.ptsTicks)
            let steps = zip(times, times.dropFirst()).map { $1 - $0 }
            let widest = try #require(steps.max())
            measured("widest gap of \(kind)", .milliseconds(widest / 90))
            #expect(steps.allSatisfy { $0 > 0 })
            #expect(widest < Int64(limit.milliseconds * 90))
        }
    }

    @Test(
        "an input that breaks costs seconds: the board builds its pipeline again and the broadcast resumes",
        .row("SND-15"))
    func input() async throws {
        try await inStudio { studio in
            let clip = studio.stage.folder["media/bunny.mp4"]
            let whole = try Data(contentsOf: URL(fileURLWithPath: Places.clip()))
            try whole.write(to: URL(fileURLWithPath: clip))
            let id = try await live(studio, input: "file:bunny.mp4")
            let witness = Witness(studio.owner, id)
            let broken = Instant.now
            #expect(truncate(clip, 0) == 0)
            let shown = try await eventually(within: .seconds(3), "the sender is recovering") {
                try studio.owner.broadcast(id).flatMap { $0.reason?.contains("recovering") == true ? $0 : nil }
            }
            measured("a broken input is shown after", Instant.now - broken)
            measured("as", "\(shown.state): \(shown.reason ?? "")")
            #expect(shown.state == "degraded")
            let repaired = Instant.now
            try whole.write(to: URL(fileURLWithPath: clip))
            try await studio.owner.wait(id, for: ["live"], within: .seconds(10))
            measured("a repaired input: live again after", Instant.now - repaired)
            measured("states", "\(witness.seen)")
            try await studio.record(.seconds(2), of: "show", by: studio.nginx)
            let files = try studio.nginx.recordings("show")
            #expect(files.count == 1)
            let pace = Pace(try Recording.accessUnits(#require(files.last)))
            measured("a broken input", "\(pace)")
            #expect(pace.longestMs <= 1000 && pace.shortestMs > 0)
            try await studio.stopCleanly(id)
        }
    }

    @Test("an input that breaks is the reason shown within 3 s, and for as long as it is broken")
    func reasonOfInput() async throws {
        try await inStudio { studio in
            let clip = studio.stage.folder["media/bunny.mp4"]
            try FileManager.default.copyItem(atPath: Places.clip(), toPath: clip)
            let id = try await live(studio, input: "file:bunny.mp4")
            let broken = Instant.now
            #expect(truncate(clip, 0) == 0)
            let words = "the file gives nothing any more"
            let shown = try await eventually(within: .seconds(3), "the sender's own reason is shown") { () -> BroadcastView? in
                let view: BroadcastView = try await studio.owner.call(.get, "/broadcasts/\(id)")
                return view.reason?.contains(words) == true ? view : nil
            }
            measured("the reason of a broken input is shown after", Instant.now - broken)
            measured("as", "\(shown.state): \(shown.reason ?? "")")
            // The buffer is empty then: what is missing is still the input, and no fault of the net.
            let missing = try await studio.owner.wait(id, for: ["interrupted"], within: .seconds(10))
            measured("and then", "\(missing.state): \(missing.reason ?? "")")
            try await always(for: .seconds(2), "the sender's word stays the reason") {
                let view: BroadcastView = try await studio.owner.call(.get, "/broadcasts/\(id)")
                return view.reason?.hasPrefix("sender ") == true
            }
            try await studio.stop(id)
        }
    }

    // MARK: Parts

    private func live(
        _ studio: Studio, sender name: String = "sender", stream: String = "show", input: String = "test"
    ) async throws -> BroadcastID {
        let list: ListView<SenderView> = try await studio.owner.call(.get, "/senders")
        let id = try #require(list.items.first { $0.name == name }?.id)
        try await eventually(within: .seconds(20), "\(name) is online with three links and the input") {
            try studio.owner.sender(id).map { view in
                view.online && view.inventory.links.filter { $0.state == .up }.count >= 3
                    && view.inventory.inputs.contains { $0.id == input }
            } == true
        }
        let platform = try await studio.destination(stream, url: studio.nginx.url(), secret: stream)
        let broadcast = try await studio.start(
            StartRequest(sender: id, destinations: [platform], input: InputChoice(video: input), encoder: Studio.small()))
        try await studio.owner.wait(broadcast, for: ["live"])
        try await studio.record(.seconds(2), of: stream, by: studio.nginx)
        return broadcast
    }

    /// One session, in which everything arrived.
    private func expectComplete(_ studio: Studio, _ stream: String, sender: String = "sender", by nginx: Nginx) throws {
        let files = try nginx.recordings(stream)
        #expect(files.count == 1)
        for kind in [AccessUnit.Kind.video, .audio] {
            let delivery = try studio.delivery(kind, from: studio.sent(sender), to: #require(files.last))
            measured("\(kind) of \(stream)", "\(delivery)")
            #expect(delivery.isComplete, "\(stream), \(kind): \(delivery)")
        }
    }
}

import Crypto
import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// The updater's unit beside the agent's, under a real systemd.
@Suite(.serialized, .unlessStolen, .enabled(if: Machine.isAllowed, "systemd and cgroups are not allowed here"))
struct UpdaterBootTests {
    private static let configuration = """
        [updates]
        machine = "\(ReleaseWorkshop.board)"
        interval_seconds = 3
        proof_seconds = 60
        [log]
        level = "info"
        """

    @Test("under their units the updater starts the agent of another release in its place, and the agent can change neither slot")
    func board() async throws {
        // A debug build is large: over mobile links it would take two minutes.
        try await inStudio(links: [5, 7, 9].map { Studio.link(40_000, delayMs: $0) }) { studio in
            _ = try await studio.installation.enrollSender("board", inside: studio.field)
            let network = ["nsenter", "--net=/run/netns/\(studio.network.field.name)"]
            let machine = try Machine(
                "board", on: studio.stage, units: ["strata-agent", "strata-updater"],
                configuration: ["strata-updater": Self.configuration], state: studio.stage.folder["board.state"], inside: network)
            do {
                try await update(machine, studio)
            } catch {
                print((try? await machine.run("tail", "-50", "/run/units.log", mayFail: true).text) ?? "")
                try await machine.cut()
                throw error
            }
            try await machine.cut()
        }
    }

    private func update(_ machine: Machine, _ studio: Studio) async throws {
        let workshop = try ReleaseWorkshop(studio.stage)
        try await machine.active("strata-agent")
        // As INSTALL.md tells it: keys, and the drop-in by which the agent is started from its slot.
        let keys = try studio.stage.folder.write(String(decoding: workshop.keys().bytes, as: UTF8.self), to: "release-keys")
        try await machine.run("cp", keys, "/etc/strata/release-keys")
        let dropIn = Places.root.appendingPathComponent("systemd/strata-agent.updater").path
        try await machine.run("cp", dropIn, "/run/units/strata-agent.service.d/updater.conf")
        try await machine.run("systemctl", "daemon-reload")
        try await machine.active("strata-updater", within: .seconds(30))
        try await machine.run("systemctl", "restart", "strata-agent")
        let before = try await machine.active("strata-agent")
        #expect(try await executable(machine, before) == "/var/lib/strata-updater/slots/a/strata-agent\n")

        let agent = Array(try Data(contentsOf: URL(fileURLWithPath: Places.program("strata-agent"))))
        try workshop.publish("1.1.0", ["strata-agent": agent])
        let owner = Visitor(server: studio.owner.server, loop: try Loop(name: "visitor"))
        #expect(try await owner.signIn("owner@example.org", studio.installation.ownerPassword).status == 200)
        let rollout = try await owner.post("/rollouts", RolloutRouteTests.request("1.1.0")).text("id")
        var fate: String?
        for _ in 0..<120 where fate != "installed" && fate != "failed" {
            try await Task.sleep(for: .seconds(1))
            let boards = try await owner.get("/rollouts/\(rollout)").object()["boards"] as? [[String: Any]]
            fate = boards?.first.map { "\($0["fate"] ?? "")" }
            if let reason = boards?.first?["reason"] { measured("why the board went back", "\(reason)") }
        }
        #expect(fate == "installed")
        let after = try await machine.active("strata-agent", after: before)
        #expect(try await executable(machine, after) == "/var/lib/strata-updater/slots/b/strata-agent\n")
        let said: ListView<SenderView> = try await studio.owner.call(.get, "/senders")
        #expect(said.items.first { $0.name == "board" }?.agentVersion == "1.1.0")

        // Whoever has taken the agent over changes nothing of what is started next.
        let touch = try await machine.run(
            "setpriv", "--reuid", "strata-agent", "--clear-groups", "touch", "/var/lib/strata-updater/slots/a/strata-agent",
            "/var/lib/strata-updater/current", mayFail: true)
        #expect(touch.status != 0)
        try await machine.run("systemctl", "stop", "strata-updater")
        #expect(try await machine.property("Result", of: "strata-updater") == "success")
    }

    private func executable(_ machine: Machine, _ process: String) async throws -> String {
        try await machine.run("readlink", "/proc/\(process)/exe").text
    }
}

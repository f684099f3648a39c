import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// Control is killed while a broadcast starts.
@Suite(.serialized, .unlessStolen)
struct ResumeTests {
    /// What control has said last before it is killed; nil: nothing, it has only answered the request.
    private static let points: [String?] = [nil, "starting: sender", "starting: media", "starting: outputs"]

    @Test("control is killed at any step of a start: the broadcast becomes live or has failed, and nothing is left over", .row("CTL-03"))
    func start() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            for point in Self.points {
                let control = try studio.installation.program("control")
                let before = control.lines.count
                let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
                if let point { try await control.line(containing: point, from: before, within: .seconds(10)) }
                try await control.kill9()
                studio.owner.forget()
                try await studio.installation.startControl()
                let back = Instant.now
                let view = try await studio.owner.wait(id, for: ["live", "ended"], within: .seconds(15))
                measured("killed after '\(point ?? "the request")': \(view.state) \(view.reason ?? "")", Instant.now - back)
                if view.state == "live" {
                    try await studio.stop(id)
                } else {
                    #expect(view.step != nil && view.reason?.contains("failed") == true, "\(view.step ?? "") \(view.reason ?? "")")
                }
                _ = try await studio.sender()
                // The next start waits by itself for the pool, which may not be back yet.
                try await studio.expectNothingLeft(sender.id)
            }
        }
    }
}

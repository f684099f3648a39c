import Foundation
import Testing
import Wire

@testable import API

@Suite("The name of a field at fault")
struct FaultNameTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every name that a module below the API has for a field, from its source.
    private func lower() throws -> Set<String> {
        var names: Set<String> = []
        for module in ["Store", "Auth"] {
            let folder = Self.root.appendingPathComponent("Control/\(module)")
            for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) where file.hasSuffix(".swift") {
                let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                names.formUnion(text.matches(of: #/field: "([^"]+)"/#).map { String($0.output.1) })
                names.formUnion(text.matches(of: #/checked\([^,()]+, "([^"]+)"/#).map { String($0.output.1) })
            }
        }
        return names
    }

    @Test("is one of a request, whatever module finds it")
    func known() throws {
        let names = try lower()
        #expect(names.count >= 15, "\(names.sorted())")
        #expect(names.subtracting(FaultNames.all.keys).isEmpty, "\(names.subtracting(FaultNames.all.keys))")
        // What is exchanged whole is sent as it is read.
        let requests = Schemas.all.filter { $0.key.hasSuffix("Request") || $0.key == "RecordingSettings" }.values.map(\.fieldNames)
        for (name, fields) in FaultNames.all {
            for field in fields { #expect(requests.contains { $0.contains(field) }, "no request has \(field), for \(name)") }
        }
    }

    @Test("is the one of the request that was sent, and what it has not is told of the body and to us")
    func named() {
        func fields(_ faults: [String], _ body: String) -> (told: [String], strangers: [String]) {
            let route = Route(method: .post, path: "/x", access: .open, summary: "", body: body, success: .empty, run: { _ in .empty })
            var strangers: [String] = []
            let problem = Problem(.invalid, faults: faults.map { .init(field: $0, expected: "another") })
            return (route.naming(problem) { strangers.append($0) }.faults?.map(\.field) ?? [], strangers)
        }
        #expect(fields(["destination.secret", "destination.port", "url"], "DestinationRequest").told == ["secret", "url", "url"])
        #expect(
            fields(["user.email", "organization.slug", "password"], "RegisterRequest").told == ["email", "organizationSlug", "password"])
        #expect(
            fields(["user.email", "organization.slug", "password"], "CreateOrganizationRequest").told
                == ["ownerEmail", "slug", "ownerPassword"])
        #expect(fields(["destination", "destinations[3]"], "StartRequest").told == ["destinations", "destinations[3]"])
        #expect(fields(["destination"], "AddOutputRequest").told == ["destination"])
        #expect(fields(["toml.video.input", "toml"], "ChangeConfigurationRequest").told == ["toml.video.input", "toml"])
        #expect(fields(["deletion.slug", "current"], "DeleteOrganizationRequest").told == ["organization", "password"])
        #expect(fields(["registration.agrees", "user.email"], "JoinRequest").told == ["agrees", "email"])
        let stranger = fields(["nobody"], "LoginRequest")
        #expect(stranger.told == ["body"] && stranger.strangers == ["nobody"])
    }
}

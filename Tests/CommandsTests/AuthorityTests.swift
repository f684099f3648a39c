import Crypto
import Foundation
import Testing

@testable import Commands

@Suite("The authority of one's own")
struct AuthorityTests {
    private let now: Int64 = 1_700_000_000

    /// Runs `body` with a folder that has an authority.
    private func withAuthority(_ body: (_ folder: String, _ made: CertificateAuthority) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("strata-authority-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder, try Console.authority(in: folder, now: now))
    }

    /// What is said where the authority cannot be used.
    private func refusal(_ folder: String) -> String {
        do {
            _ = try Console.authority(in: folder, now: now)
            return "it was taken"
        } catch {
            return "\(error)"
        }
    }

    @Test("stays what it is")
    func stays() throws {
        try withAuthority { folder, made in
            let again = try Console.authority(in: folder, now: now + 86_400)
            #expect(again.certificatePEM == made.certificatePEM && again.privateKeyPEM == made.privateKeyPEM)
        }
    }

    @Test(
        "of which one file is missing is not replaced, and the other file stays",
        arguments: [("ca.pem", "ca.key"), ("ca.key", "ca.pem")])
    func half(_ missing: String, _ left: String) throws {
        try withAuthority { folder, _ in
            let kept = try String(contentsOfFile: "\(folder)/\(left)", encoding: .utf8)
            try FileManager.default.removeItem(atPath: "\(folder)/\(missing)")
            let words = refusal(folder)
            #expect(words.contains("no \(folder)/\(missing)") && words.contains("nothing was changed"), "\(words)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [left])
            #expect(try String(contentsOfFile: "\(folder)/\(left)", encoding: .utf8) == kept)
        }
    }

    @Test("that is none, or of another key, is named by its file")
    func junk() throws {
        try withAuthority { folder, made in
            try KeyFile.write("no certificate", to: "\(folder)/ca.pem")
            #expect(refusal(folder).hasPrefix("\(folder)/ca.pem holds no certificate in PEM form"))
            try KeyFile.write(made.certificatePEM, to: "\(folder)/ca.pem")
            for key in ["no key", try CertificateAuthority.make(name: "Other", at: now).privateKeyPEM] {
                try KeyFile.write(key, to: "\(folder)/ca.key")
                #expect(refusal(folder).hasPrefix("\(folder)/ca.key is not the private key, in PEM form, of \(folder)/ca.pem"))
            }
        }
    }

    @Test("that a command is given and that is no certificate is named before anything is asked")
    func option() {
        #expect { try Console.checkCertificate("junk", "--ca /tmp/junk") } throws: {
            "\($0)".hasPrefix("--ca /tmp/junk holds no certificate in PEM form")
        }
    }
}

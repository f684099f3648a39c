import Crypto
import Testing

@testable import Releases

@Suite("Which releases a machine takes") struct UpdateRuleTests {
    private let keys: KeyList
    private let signer: [UInt8]
    private let rule: UpdateRule

    init() throws {
        keys = try KeyList(bytes: try Signed.text(Signed.keys).text)
        signer = keys.releases[0].key
        rule = UpdateRule(
            product: .agent, machine: try #require(MachineClass("arm64")), channel: .stable, installed: ReleaseVersion(1, 3, 0))
    }

    private func refusal(
        _ manifest: ReleaseManifest, _ rule: UpdateRule, by signer: [UInt8]? = nil, at time: ReleaseTime = Signed.now
    ) -> UpdateRefusal? {
        rule.refusal(of: TrustedRelease(manifest: manifest, signer: signer ?? self.signer), keys: keys, at: time)
    }

    @Test("a newer one of its channel with files for it")
    func good() throws { #expect(refusal(try Signed.manifest(), rule) == nil) }

    @Test("no older one, whatever its sequence, nor the one that is there, nor a pre-release of it")
    func downgrade() throws {
        var rule = rule
        rule.installed = ReleaseVersion(1, 4, 0)
        #expect(refusal(try Signed.manifest("1.3.9", sequence: 99), rule) == .downgrade(from: rule.installed, to: ReleaseVersion(1, 3, 9)))
        #expect(refusal(try Signed.manifest("1.4.0", sequence: 99), rule) == .installed(rule.installed))
        rule.channel = .edge
        let candidate = try Signed.manifest("1.4.0-rc.1", sequence: 99, channel: .edge)
        #expect(refusal(candidate, rule) == .downgrade(from: rule.installed, to: candidate.version))
    }

    @Test("no release that is older by its sequence than one it saw, or another of the same number")
    func replay() throws {
        var rule = rule
        let seen = try Signed.manifest()
        rule.seen = ReleaseMark(TrustedRelease(manifest: seen, signer: signer))
        #expect(refusal(seen, rule) == nil)
        #expect(refusal(try Signed.manifest(sequence: 16), rule) == .replayed(sequence: 16, seen: 17))
        #expect(refusal(try Signed.manifest("1.5.0"), rule) == .replayed(sequence: 17, seen: 17))
        #expect(refusal(try Signed.manifest("1.5.0", sequence: 18), rule) == nil)
    }

    @Test("a thief's largest sequence no longer counts once his key is off the list")
    func fastForward() throws {
        var rule = rule
        let thief = [UInt8](repeating: 3, count: 32)
        let last = try Signed.manifest(sequence: ReleaseManifest.sequenceLimit)
        rule.seen = ReleaseMark(TrustedRelease(manifest: last, signer: thief))
        #expect(refusal(try Signed.manifest(), rule) == nil)
        rule.seen = ReleaseMark(TrustedRelease(manifest: last, signer: signer))
        #expect(refusal(try Signed.manifest(), rule) == .replayed(sequence: 17, seen: ReleaseManifest.sequenceLimit))
    }

    @Test("of its own channel and of steadier ones", arguments: ReleaseChannel.allCases)
    func channels(_ followed: ReleaseChannel) throws {
        var rule = rule
        rule.channel = followed
        for channel in ReleaseChannel.allCases {
            let expected: UpdateRefusal? = channel <= followed ? nil : .channel(channel, followed: followed)
            #expect(refusal(try Signed.manifest(channel: channel), rule) == expected)
        }
    }

    @Test("none for other machines or products")
    func machines() throws {
        let other = try Signed.manifest(files: [try Signed.file("strata-agent", machine: "amd64"), try Signed.file("x", product: .updater)])
        #expect(refusal(other, rule) == .machine(.agent, rule.machine))
    }

    @Test("none that is over, by the clock or by the floor; with a clock of 1970 and no floor it is taken")
    func expiry() throws {
        let manifest = try Signed.manifest(expires: Signed.today)
        #expect(refusal(manifest, rule) == .expired(at: Signed.today))
        #expect(refusal(manifest, rule, at: ReleaseTime(clock: 0, floor: Signed.today)) == .expired(at: Signed.today))
        #expect(refusal(manifest, rule, at: ReleaseTime(clock: 0, floor: Signed.today - 1)) == nil)
        #expect(refusal(manifest, rule, at: ReleaseTime(clock: 0, floor: 0)) == nil)
    }

    @Test("none whose minimum is above what is installed")
    func minimum() throws {
        let manifest = try Signed.manifest(minimum: "1.3.1")
        #expect(refusal(manifest, rule) == .tooOld(installed: rule.installed, minimum: ReleaseVersion(1, 3, 1)))
        #expect(refusal(try Signed.manifest(minimum: "1.3.0"), rule) == nil)
    }

    @Test("none that failed here, unless that is set aside")
    func failed() throws {
        var rule = rule
        let manifest = try Signed.manifest()
        rule.failed = [SHA256.hash(manifest.bytes)]
        #expect(refusal(manifest, rule) == .failedBefore(manifest.version))
        rule.failed = []
        #expect(refusal(manifest, rule) == nil)
    }
}

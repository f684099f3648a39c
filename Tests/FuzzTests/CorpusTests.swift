import Foundation
import Testing

@testable import Fuzz

/// Where the corpora lie in the source tree.
let corpora = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fuzz/Corpus")

func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
    let folder = corpora.appendingPathComponent(target.rawValue)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
        (name, Array(try Data(contentsOf: folder.appendingPathComponent(name))))
    }
}

@Suite struct CorpusTests {
    @Test("each folder of the corpus is that of a target, and each target has one")
    func folders() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: corpora.path)
        #expect(Set(folders) == Set(FuzzTarget.allCases.map(\.rawValue)))
    }

    @Test("every invariant holds for every input of the corpus and each of its beginnings", arguments: FuzzTarget.allCases)
    func corpusHolds(target: FuzzTarget) throws {
        let inputs = try corpus(target)
        #expect(inputs.count >= 10)
        for (name, bytes) in inputs {
            #expect(target.violation(bytes) == nil, "\(target.rawValue)/\(name)")
            for end in stride(from: 0, to: min(bytes.count, 200), by: 7) {
                #expect(target.violation(Array(bytes[..<end])) == nil, "the first \(end) bytes of \(target.rawValue)/\(name)")
            }
        }
    }
}

import Testing

@testable import Meetings

/// The same numbers each time.
struct Counting: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 24
    }
}

@Suite("A meeting's address")
struct SlugTests {
    @Test("is ten letters and digits, and no two of many are the same")
    func random() {
        var source = Counting(state: 7)
        let slugs = Set((0..<10_000).map { _ in MeetingSlug(random: &source) })
        #expect(slugs.count == 10_000)
        for slug in slugs {
            #expect(slug.text.utf8.count == 10)
            #expect(slug.text.allSatisfy { $0.isASCII && ($0.isNumber || $0.isLowercase) && !"ilou".contains($0) }, "\(slug.text)")
            #expect(MeetingSlug(typed: slug.text) == slug)
        }
        // Each of the 32 signs is used.
        #expect(Set(slugs.flatMap { Array($0.text) }).count == 32)
    }

    @Test("is read as somebody writes down what they were told")
    func typed() throws {
        let slug = try #require(MeetingSlug(typed: "k3m9xw27q1"))
        for text in ["K3M9XW27Q1", "k3m-9xw2-7q1", "k3m 9xw2 7ql", "K3M-9XW2-7QI", " k3m9xw27q1 "] {
            #expect(MeetingSlug(typed: text) == slug, "\(text)")
        }
        #expect(slug.spoken == "k3m-9xw2-7q1")
        #expect(MeetingSlug(typed: "oooooooooo")?.text == "0000000000")
    }

    @Test("is not read out of what is none")
    func refused() {
        for text in [
            "", "k3m9xw27q", "k3m9xw27q12", "k3m9xw27qu", "k3m9xw27q/", "../../../..", "k3m9xw27q\u{0}", "ｋ3m9xw27q1", "k3m9xw27qé",
            String(repeating: "-", count: 23) + "k3m9xw27q1",
        ] { #expect(MeetingSlug(typed: text) == nil, "\(text.debugDescription)") }
    }
}

import Foundation
import Glibc
import Posix
import Testing

@Suite("Own process")
struct OwnProcessTests {
    @Test("a thread has the name it was started under, and the one that started it has its own again")
    func inherited() throws {
        let before = ownName()
        let seen = Guarded("")
        try naming(startedThreads: "a library's own") {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(seen)
            let code = pthread_create(&thread, nil, nameThread, context.toOpaque())
            try #require(code == 0)
            pthread_join(thread, nil)
        }
        #expect(seen.withLock { $0 } == "a library's own")
        #expect(ownName() == before)
    }
}

/// As the kernel has it. Source: proc(5).
private func ownName() -> String {
    let text = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
    return text?.trimmingCharacters(in: .newlines) ?? ""
}

private func nameThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<Guarded<String>>.fromOpaque(context).takeRetainedValue().withLock { $0 = ownName() }
    return nil
}

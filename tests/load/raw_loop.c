/* What a fan-out costs without any server: one thread that seals datagrams with AES-128-GCM, a key
   for each peer, and sends them in batches to sockets on the loopback. Run by raw_loop.py.

   Prototypes are spelled out, so that libcrypto.so.3 is enough and no headers of it are needed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct evp_cipher_ctx_st Context;
Context *EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(Context *);
const void *EVP_aes_128_gcm(void);
int EVP_EncryptInit_ex(Context *, const void *, void *, const unsigned char *,
                       const unsigned char *);
int EVP_EncryptUpdate(Context *, unsigned char *, int *, const unsigned char *, int);
int EVP_EncryptFinal_ex(Context *, unsigned char *, int *);
int EVP_CIPHER_CTX_ctrl(Context *, int, int, void *);

enum { HEAD_BYTES = 11, TAG_BYTES = 16, BYTES_MAX = 1500, BATCH = 64, GET_TAG = 0x10 };

struct peer {
    int descriptor;
    struct sockaddr_in address;
    Context *cipher;
    unsigned char nonce[12], packet[BYTES_MAX];
};

struct result {
    uint64_t cpu_ns, sent, received;
};

static unsigned char plain[BYTES_MAX], sink[BATCH][BYTES_MAX];
static struct mmsghdr taken[BATCH];
static struct iovec taken_parts[BATCH];

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void seal(struct peer *peer, int size) {
    int length;
    (*(uint64_t *)(peer->nonce + 4))++;
    memcpy(peer->packet + 7, peer->nonce + 8, 4);
    EVP_EncryptInit_ex(peer->cipher, 0, 0, 0, peer->nonce);
    EVP_EncryptUpdate(peer->cipher, 0, &length, peer->packet, HEAD_BYTES);
    EVP_EncryptUpdate(peer->cipher, peer->packet + HEAD_BYTES, &length, plain,
                      size - HEAD_BYTES - TAG_BYTES);
    EVP_EncryptFinal_ex(peer->cipher, peer->packet + size - TAG_BYTES, &length);
    EVP_CIPHER_CTX_ctrl(peer->cipher, GET_TAG, TAG_BYTES, peer->packet + size - TAG_BYTES);
}

static uint64_t empty(struct peer *peer) {
    uint64_t received = 0;
    int count;
    do {
        count = recvmmsg(peer->descriptor, taken, BATCH, MSG_DONTWAIT, 0);
        received += count > 0 ? count : 0;
    } while (count == BATCH);
    return received;
}

static int open_peer(struct peer *peer, const struct sockaddr_in *from, int receive_bytes) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof peer->address;
    unsigned char key[16];
    int yes = 1;
    peer->descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(peer->descriptor, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    setsockopt(peer->descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
    if (peer->descriptor < 0 || bind(peer->descriptor, (void *)&any, sizeof any)) return -1;
    connect(peer->descriptor, (void *)from, sizeof *from);
    getsockname(peer->descriptor, (void *)&peer->address, &length);
    for (int k = 0; k < 16; k++) key[k] = rand();
    peer->cipher = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(peer->cipher, EVP_aes_128_gcm(), 0, key, peer->nonce);
    return 0;
}

static int send_all(int server, struct mmsghdr *messages, int count) {
    for (int at = 0; at < count;) {
        int sent = sendmmsg(server, messages + at, count - at, 0);
        if (sent <= 0) return -1;
        at += sent;
    }
    return 0;
}

/* Each round, one each *interval_ns*, goes to the *fan* peers of one of *rooms*, in turn. What is
   measured is the time of the thread while it seals and sends; *drained* peers are emptied after
   each round, which is not. */
int run(int rooms, int fan, int size, int rounds, long interval_ns, int drained,
        int receive_bytes, struct result *result) {
    int total = rooms * fan, server = socket(AF_INET, SOCK_DGRAM, 0), big = 1 << 22, turn = 0;
    struct sockaddr_in me = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    struct peer *peers = calloc(total, sizeof *peers);
    struct mmsghdr *messages = calloc(total, sizeof *messages);
    struct iovec *vectors = calloc(total, sizeof *vectors);
    int status = bind(server, (void *)&me, sizeof me);
    setsockopt(server, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
    getsockname(server, (void *)&address, &length);
    for (int k = 0; k < size; k++) plain[k] = rand();
    for (int k = 0; k < BATCH; k++) {
        taken_parts[k] = (struct iovec){sink[k], BYTES_MAX};
        taken[k].msg_hdr = (struct msghdr){.msg_iov = taken_parts + k, .msg_iovlen = 1};
    }
    for (int k = 0; k < total; k++) {
        struct peer *peer = peers + k;
        if (open_peer(peer, &address, receive_bytes)) status = -1;
        vectors[k] = (struct iovec){peer->packet, size};
        messages[k].msg_hdr =
            (struct msghdr){.msg_name = &peer->address, .msg_namelen = sizeof peer->address,
                            .msg_iov = vectors + k, .msg_iovlen = 1};
    }
    *result = (struct result){0};
    uint64_t due = read_clock(CLOCK_MONOTONIC);
    for (int round = 0; !status && round < rounds; round++) {
        int first = round % rooms * fan;
        due += interval_ns;
        struct timespec until = {due / 1000000000ull, due % 1000000000ull};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, 0);
        uint64_t before = read_clock(CLOCK_THREAD_CPUTIME_ID);
        for (int k = first; k < first + fan; k++) seal(peers + k, size);
        status = send_all(server, messages + first, fan);
        result->cpu_ns += read_clock(CLOCK_THREAD_CPUTIME_ID) - before;
        result->sent += fan;
        for (int k = 0; k < drained; k++) result->received += empty(peers + turn++ % total);
    }
    for (int k = 0; k < total; k++) {
        result->received += empty(peers + k);
        close(peers[k].descriptor);
        EVP_CIPHER_CTX_free(peers[k].cipher);
    }
    close(server);
    free(peers);
    free(messages);
    free(vectors);
    return status;
}

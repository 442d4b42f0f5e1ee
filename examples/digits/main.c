/* Trains the network of digits.mx on real handwritten digits by mini-batch gradient steps with momentum, all derivatives
 * generated, and prints the accuracy on images that it never saw.
 *
 *   digits [digits.csv]
 *
 * On a terminal it shows its progress; in a pipe it prints the result only. */
#include "digits.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIXELS = 64, HIDDEN = 48, CLASSES = 10, IMAGES = 1797, BATCH = 32, EPOCHS = 60 };
enum { PARAMETERS = PIXELS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES };

struct images {
    size_t count;
    double *X, *T; /* count x PIXELS, count x CLASSES */
    int *digit;
};

/* All weights one after another, so that a step is one loop. */
struct network {
    double all[PARAMETERS];
};

static double *W1(struct network *n) { return n->all; }
static double *b1(struct network *n) { return W1(n) + PIXELS * HIDDEN; }
static double *W2(struct network *n) { return b1(n) + HIDDEN; }
static double *b2(struct network *n) { return W2(n) + HIDDEN * CLASSES; }

static void die(const char *what) {
    fprintf(stderr, "digits: %s\n", what);
    exit(1);
}

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory)
        die("out of memory");
    return memory;
}

/* Random numbers: xorshift64*, S. Vigna, ACM TOMS 42(4), 2016. */
static uint64_t random_state = 88172645463325252u;

static double uniform(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (double)((random_state * 2685821657736338717u) >> 11) / 9007199254740992.0;
}

static double normal(void) {
    return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
}

static struct images new_images(size_t most) {
    struct images images = {0, allocate(most * PIXELS * sizeof(double)), allocate(most * CLASSES * sizeof(double)),
                            allocate(most * sizeof(int))};
    memset(images.T, 0, most * CLASSES * sizeof(double));
    return images;
}

static void free_images(struct images *images) {
    free(images->X);
    free(images->T);
    free(images->digit);
}

static void add_image(struct images *to, const int *values) {
    for (int i = 0; i < PIXELS; i++)
        to->X[to->count * PIXELS + (size_t)i] = values[i] / 16.0;
    to->T[to->count * CLASSES + (size_t)values[PIXELS]] = 1;
    to->digit[to->count++] = values[PIXELS];
}

static int read_values(FILE *file, int *values) {
    for (int i = 0; i <= PIXELS; i++) {
        if (fscanf(file, i ? ",%d" : "%d", &values[i]) != 1)
            return i == 0 && feof(file) ? 0 : -1;
        if (values[i] < 0 || values[i] > (i == PIXELS ? CLASSES - 1 : 16))
            return -1;
    }
    return 1;
}

/* Every fifth image is for the test. */
static void read_images(const char *path, struct images *train, struct images *test) {
    FILE *file = fopen(path, "r");
    int values[PIXELS + 1], got;
    if (!file)
        die("cannot read the images (give the path of digits.csv)");
    for (int line = 0; (got = read_values(file, values)) == 1 && line < IMAGES; line++)
        add_image(line % 5 == 4 ? test : train, values);
    fclose(file);
    if (got != 0 || train->count + test->count != IMAGES)
        die("this is not the file of digits");
}

static void initialise(struct network *n) {
    memset(n, 0, sizeof *n);
    for (int i = 0; i < PIXELS * HIDDEN; i++)
        W1(n)[i] = normal() * sqrt(2.0 / PIXELS);
    for (int i = 0; i < HIDDEN * CLASSES; i++)
        W2(n)[i] = normal() * sqrt(2.0 / HIDDEN);
}

static void shuffle(size_t *order, size_t count) {
    for (size_t i = count; i > 1; i--) {
        const size_t j = (size_t)(uniform() * (double)i), swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

/* The share of images whose largest score is that of their digit; *loss is the mean cross-entropy. */
static double accuracy(const struct images *images, struct network *n, double *loss) {
    double *S = allocate(images->count * CLASSES * sizeof *S);
    void *work = allocate(digits_eval_worksize(images->count));
    size_t right = 0;
    digits_eval(images->count, images->X, images->T, W1(n), b1(n), W2(n), b2(n), loss, S, work);
    for (size_t i = 0; i < images->count; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            if (S[i * CLASSES + (size_t)c] > S[i * CLASSES + (size_t)best])
                best = c;
        right += best == images->digit[i];
    }
    free(work);
    free(S);
    return (double)right / (double)images->count;
}

static void show_progress(int epoch, double loss, double share) {
    const int width = 40, full = epoch * width / EPOCHS;
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r[%.*s%*s] epoch %d/%d  loss %.4f  accuracy %.2f %%%s", full,
            "########################################", width - full, "", epoch, EPOCHS, loss, 100 * share,
            epoch == EPOCHS ? "\n" : "");
}

/* One pass over all images in random order; weights move against the gradient with momentum and a little decay. */
static void train_epoch(const struct images *train, size_t *order, struct network *n, struct network *velocity,
                        double rate, void *work) {
    double X[BATCH * PIXELS], T[BATCH * CLASSES], loss;
    struct network gradient;
    shuffle(order, train->count);
    for (size_t begin = 0; begin < train->count; begin += BATCH) {
        const size_t rows = train->count - begin < BATCH ? train->count - begin : BATCH;
        for (size_t i = 0; i < rows; i++) {
            memcpy(X + i * PIXELS, train->X + order[begin + i] * PIXELS, PIXELS * sizeof *X);
            memcpy(T + i * CLASSES, train->T + order[begin + i] * CLASSES, CLASSES * sizeof *T);
        }
        digits_grad_loss(rows, X, T, W1(n), b1(n), W2(n), b2(n), &loss, W1(&gradient), b1(&gradient), W2(&gradient),
                         b2(&gradient), work);
        for (int i = 0; i < PARAMETERS; i++) {
            velocity->all[i] = 0.9 * velocity->all[i] - rate * (gradient.all[i] + 1e-4 * n->all[i]);
            n->all[i] += velocity->all[i];
        }
    }
}

int main(int argc, char **argv) {
    struct images train = new_images(IMAGES), test = new_images(IMAGES);
    static struct network network, velocity;
    double loss;
    read_images(argc > 1 ? argv[1] : "digits.csv", &train, &test);
    size_t *order = allocate(train.count * sizeof *order);
    void *work = allocate(digits_grad_loss_worksize(BATCH));
    for (size_t i = 0; i < train.count; i++)
        order[i] = i;
    initialise(&network);
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        train_epoch(&train, order, &network, &velocity, 0.05 * (1 + cos(3.141592653589793 * epoch / EPOCHS)), work);
        const double share = accuracy(&train, &network, &loss);
        show_progress(epoch, loss, share);
    }
    const double share = accuracy(&test, &network, &loss);
    printf("digits: trained on %zu images, test accuracy %.2f %% of %zu\n", train.count, 100 * share, test.count);
    free(work);
    free(order);
    free_images(&train);
    free_images(&test);
    return share >= 0.96 ? 0 : 1;
}
